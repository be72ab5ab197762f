from rooms.models import Room

LOADTEST_ROOMS = [f"LOADTEST-{n}" for n in range(1, 101)]  # in capitals, as no slug is that comes from a name


def create_demo():
    """Make the room `lobby`."""
    Room.objects.get_or_create(slug="lobby", defaults={"name": "Lobby"})


def set_up_loadtest(users):
    """Make the rooms of the load test, which only its users may enter; remove them if there are none."""
    rooms = Room.objects.filter(slug__in=LOADTEST_ROOMS)
    if not users:
        rooms.delete()
        return
    there = set(rooms.values_list("slug", flat=True))
    missing = [slug for slug in LOADTEST_ROOMS if slug not in there]
    Room.objects.bulk_create(Room(slug=slug, name=slug, is_open=False) for slug in missing)
    for room in rooms:
        room.members.set(users)
