"""Procfile, run by honcho as Heroku, Railway and Render run it."""

import os
import re
import sys
from contextlib import nullcontext
from urllib.parse import urlsplit

import psutil
import pytest

from conversation import converse, drains
from hosts import in_production, tls
from serving import each, free_port, started
from variants import DEPLOYED

HONCHO = [sys.executable, "-m", "honcho", "--env", os.devnull]  # there is no .env on these platforms


@pytest.mark.parametrize("variant", each(DEPLOYED))
async def test_procfile(variant, installed, tmp_path, note):
    """It migrates, listens on every address at $PORT with as many processes as it may, and drains."""
    project = installed(variant)
    assert start_command(project) == web(project).replace("python", ".venv/bin/python")
    values = in_production(project)
    values["PATH"] = f"{project.folder / '.venv/bin'}:{os.environ['PATH']}"
    values["WEB_CONCURRENCY"] = "2"  # which Heroku sets by itself
    redis = values.get("REDIS_URL")
    with tls(urlsplit(redis).port, tmp_path) if redis else nullcontext() as secure:
        if redis:
            url = urlsplit(redis)
            url = url._replace(scheme="rediss", netloc=url.netloc.replace(f":{url.port}", f":{secure}"))
            values |= {"REDIS_URL": url.geturl(), "REDIS_OPTIONS": "?ssl_cert_reqs=none"}
        assert "No migrations to apply" in project.run(*HONCHO, "start", "release", **values)
        port, log = free_port(), project.folder.with_suffix(".procfile.log")
        command = [*HONCHO, "start", "--port", port, "web"]
        with started(command, project.folder, log, port, **values) as server:
            listening = {
                connection.laddr.ip
                for process in server.processes()
                for connection in process.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            }
            assert listening == {"0.0.0.0"}
            seconds = {"conversed": await converse(server.url, variant)}
            seconds["drained"] = await drains(server, variant)
    note("procfile", variant, started=server.starting, **seconds)


def start_command(project):
    """Return what the README tells to enter at Render."""
    readme = (project.folder / "deploy/procfile/README.md").read_text(encoding="utf-8")
    return re.search(r"^\| Start Command \| `(.+)` \|$", readme, re.MULTILINE)[1]


def web(project):
    procfile = (project.folder / "Procfile").read_text(encoding="utf-8")
    return re.search("^web: (.+)$", procfile, re.MULTILINE)[1]
