"""deploy/supervisor, with a real supervisord."""

import signal
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from conversation import converse, drains
from hosts import in_production
from serving import HOST, Server, each, free_port, started
from variants import DEPLOYED

BIN = Path(sys.executable).parent


@contextmanager
def configured(project, port):
    """Yield the path of the project's supervisord.conf, but for the port; a short one, as sockets need it."""
    original = project.folder / "deploy/supervisor/supervisord.conf"
    config = original.with_stem("test")
    config.write_text(original.read_text(encoding="utf-8").replace("8001", str(port)), encoding="utf-8")
    with TemporaryDirectory(prefix="supervisor-") as folder:
        short = Path(folder, "site")
        short.symlink_to(project.folder)
        yield short / config.relative_to(project.folder)


@pytest.mark.parametrize("variant", each(DEPLOYED))
async def test_supervisor(variant, installed, note):
    """It starts what the channel layer permits, brings back what was killed, and drains what it stops."""
    project = installed(variant)
    port, log = free_port(), project.folder.with_suffix(".supervisor.log")
    ports = [port] if variant["channel_layer"] == "memory" else [port, port + 1]
    with configured(project, port) as config:

        def pids():
            return project.run(BIN / "supervisorctl", "-c", config, "pid", "all").split()

        command = [BIN / "supervisord", "--nodaemon", "-c", config]
        with started(command, project.folder, log, port, **in_production(project)) as supervisor:
            servers = [Server(supervisor.process, port, log) for port in ports]
            for server in servers:
                server.wait_until_healthy()
            before = pids()
            assert len(before) == len(ports)

            for pid in before:
                psutil.Process(int(pid)).send_signal(signal.SIGKILL)
            supervisor.wait_until(lambda: not {*before, "0"} & set(pids()))
            for server in servers:
                server.wait_until_healthy()

            seconds = {"conversed": await converse(servers[-1].url, variant)}
            seconds["drained"] = await drains(supervisor, variant)
    assert not any(map(is_taken, ports))
    note("supervisor", variant, started=supervisor.starting, **seconds)


def is_taken(port):
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
