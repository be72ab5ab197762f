import pytest

from rooms.models import Room


@pytest.fixture
def lobby(db):
    return Room.objects.create(slug="lobby", name="Lobby")


@pytest.fixture
def closed_room(db, mentor):
    return Room.objects.create(slug="closed", name="For members", is_open=False, host=mentor)


@pytest.fixture
def host(client, closed_room, mentor):
    """A client of the host of the closed room."""
    client.force_login(mentor)
    return client
