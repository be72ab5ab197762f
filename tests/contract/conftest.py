"""The fixture of the contract: each variant is booted once, for all tests of the package."""

import json
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.sync.client import connect

from contract.site import Site
from conversation import NOTIFICATIONS
from serving import each, running
from variants import BOOTED

ROUTING = """\
from django.urls import path

from probe.consumers import ProbeConsumer

websocket_urlpatterns = [path("ws/probe/", ProbeConsumer.as_asgi())]
"""


@pytest.fixture(scope="package", params=each(BOOTED))
def served(request, installed):
    """A variant with the probe, served for all tests of this package; two sockets are idle from now on."""
    project = installed(request.param)
    add_probe(project)
    with running(project, WS_MAX_SOCKETS_PER_USER="1000") as server, ExitStack() as stack:
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


def add_probe(project):
    """Write the probe into the project as an app, and add that to INSTALLED_APPS."""
    folder = project.folder / "probe"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    shutil.copy(Path(__file__).with_name("probe.py"), folder / "consumers.py")
    (folder / "routing.py").write_text(ROUTING, encoding="utf-8")
    settings = project.folder / "config/settings.py"
    text = settings.read_text(encoding="utf-8")
    assert '    "health",\n' in text
    settings.write_text(text.replace('    "health",\n', '    "health",\n    "probe",\n'), encoding="utf-8")
