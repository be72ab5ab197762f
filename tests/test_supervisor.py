"""deploy/supervisor, with a real supervisord."""

import os
import shlex
import signal
import socket
import subprocess
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
    """Yield the path of the project's supervisord.conf, but for the port; it is short, and has a space."""
    original = project.folder / "deploy/supervisor/supervisord.conf"
    config = original.with_stem("test")
    config.write_text(original.read_text(encoding="utf-8").replace("8001", str(port)), encoding="utf-8")
    with TemporaryDirectory(prefix="supervisor-") as folder:
        short = Path(folder, "live site")
        short.symlink_to(project.folder)
        yield short / config.relative_to(project.folder)


@pytest.mark.parametrize("variant", each(DEPLOYED))
async def test_supervisor(variant, installed, note):
    """It starts what the channel layer permits, brings back what was killed, restarts and drains."""
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

            before = pids()
            restart(project, config, ports)
            assert not {*before, "0"} & set(pids())
            for server in servers:
                server.wait_until_healthy()

            seconds = {"conversed": await converse(servers[-1].url, variant)}
            seconds["drained"] = await drains(supervisor, variant)
    assert not any(map(is_taken, ports))
    note("supervisor", variant, started=supervisor.starting, **seconds)


def restart(project, config, ports):
    """Run the command of the README for a new version."""
    readme = (project.folder / "deploy/supervisor/README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## A new version, and back\n")[2]
    # By its short path: a socket's may not be long, and a relative one leads to the folder behind the link.
    script = section.split("```\n")[1].replace("deploy/supervisor/supervisord.conf", shlex.quote(str(config)))
    for port, ours in zip(("8001", "8002"), ports, strict=False):
        script = script.replace(port, str(ours))
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", script], cwd=project.folder, env=environment, check=True)


def is_taken(port):
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
