from rooms.models import Room


def create_demo():
    """Make the room `lobby`."""
    Room.objects.get_or_create(slug="lobby", defaults={"name": "Lobby"})
