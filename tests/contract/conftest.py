"""The fixture of the contract: each variant is booted once, for all tests of the package."""

import json
import shutil
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import connect

from contract.site import Site
from conversation import NOTIFICATIONS
from serving import RESOLUTION, each, running
from variants import BOOTED, COVERING

ROUTING = """\
from django.urls import path

from probe.consumers import ProbeConsumer

websocket_urlpatterns = [path("ws/probe/", ProbeConsumer.as_asgi())]
"""


def pytest_collection_modifyitems(config, items):
    """Test what is marked `covering` on fewer variants, unless other versions are tried, on few anyway."""
    left_out = [
        item
        for item in items
        if item.get_closest_marker("covering") and item.callspec.params["served"] not in COVERING
    ]
    if left_out and not RESOLUTION:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="package", params=each(BOOTED))
def served(request, installed):
    """A variant with the probe, served for all tests of this package; two sockets are idle from now on."""
    project = installed(request.param)
    with probe(project), running(project, WS_MAX_SOCKETS_PER_USER="1000") as server, ExitStack() as stack:
        site = Site(project, server)
        for person in (site.student, site.mentor, site.admin):
            stack.callback(person.close)
        site.idle_room = site.new_room()
        site.idle_sockets = [
            stack.enter_context(connect(**site.admin.address(path), open_timeout=60))
            for path in (site.idle_room, NOTIFICATIONS)
        ]
        for socket in site.idle_sockets:
            assert json.loads(socket.recv(10))["type"] == "connection_established"
        site.idle_since = time.monotonic()
        yield site


@pytest.fixture
def site(served):
    """The variant; what its server writes during the test is shown if the test fails."""
    served.start = len(served.server.output())
    yield served
    print(served.server.output()[served.start :][-6000:])


@contextmanager
def probe(project):
    """Have the probe in the project, as an app that INSTALLED_APPS names."""
    folder = project.folder / "probe"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    shutil.copy(Path(__file__).with_name("probe.py"), folder / "consumers.py")
    (folder / "routing.py").write_text(ROUTING, encoding="utf-8")
    settings = project.folder / "config/settings.py"
    text = settings.read_text(encoding="utf-8")
    assert '    "health",\n' in text
    settings.write_text(text.replace('    "health",\n', '    "health",\n    "probe",\n'), encoding="utf-8")
    try:
        yield
    finally:
        settings.write_text(text, encoding="utf-8")
        shutil.rmtree(folder)
