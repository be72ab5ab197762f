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
    """Write the probe into the project, and its address before the last one, which takes all that is left."""
    shutil.copy(Path(__file__).with_name("probe.py"), project.folder)
    routing = project.folder / "config/routing.py"
    text = routing.read_text(encoding="utf-8")
    before, last = text.split('    re_path("", NoSuchSocket')
    route = '    path("ws/probe/", import_string("probe.ProbeConsumer").as_asgi()),\n'
    text = f'{before}{route}    re_path("", NoSuchSocket{last}'
    helper = "from django.utils.module_loading import import_string\n"
    routing.write_text(helper + text, encoding="utf-8")
