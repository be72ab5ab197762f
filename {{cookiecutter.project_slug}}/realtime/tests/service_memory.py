"""What the tests need of the in-memory channel layer."""

import pytest
from django.conf import settings


@pytest.fixture(scope="session", autouse=True)
def own_socket(tmp_path_factory):
    """Listen and publish apart from a server that runs, whose clients would get what tests send."""
    config = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    if "socket" in config:
        config["socket"] = tmp_path_factory.mktemp("s") / "realtime.sock"
