"""deploy/systemd, on a machine with systemd: by its README's commands, with all that the unit forbids."""

import asyncio
import re
from contextlib import closing, contextmanager, suppress
from types import SimpleNamespace

import httpx
import pytest

from conversation import NOTIFICATIONS, converse, drains, people
from hosts import in_production
from machine import booted
from proxy import nginx
from services import free_port
from serving import PASSWORD, Server, each
from test_judge import PATH, SUM, judged, submit
from variants import DEPLOYED

pytestmark = pytest.mark.systemd

SITE = "live_site"
FOLDER = f"/opt/{SITE}"
START = "Start it, and each new version"
ELSEWHERE = re.compile("^git |collectstatic")  # commands whose results the tests bring along
ALONE = next(variant for variant in DEPLOYED if variant["channel_layer"] == "memory")
SEVERAL = next(variant for variant in DEPLOYED if variant["channel_layer"] != "memory")


class Unit(Server):
    """A process of the site, as systemctl tells of it."""

    def __init__(self, machine, port):
        self.machine, self.unit = machine, f"{SITE}@{port}"
        super().__init__(SimpleNamespace(poll=self.poll), port, None)

    def show(self, name):
        return self.machine.run(f"systemctl show --value --property={name} {self.unit}").strip()

    def poll(self):
        over = self.show("ActiveState") in ("failed", "inactive")
        return int(self.show("ExecMainStatus")) if over else None

    def terminate(self):
        self.machine.run(f"systemctl stop --no-block {self.unit}")

    def output(self):
        return self.machine.log(self.unit)


class Host:
    """A machine on which a project is installed as the README of deploy/systemd has it, but for ports."""

    def __init__(self, machine, project, values, ports):
        self.machine, self.project, self.values = machine, project, values
        self.ports = dict(zip(("8001", "8002"), ports, strict=True))
        self.servers = [Unit(machine, port) for port in ports]

    def text(self, name):
        """Return a file of deploy/systemd, with the ports of this test."""
        text = (self.project.folder / "deploy/systemd" / name).read_text(encoding="utf-8")
        for port, ours in self.ports.items():
            text = text.replace(port, str(ours))
        return text

    def follow(self, heading):
        """Run what the README says under a heading."""
        section = self.text("README.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        (block,) = re.findall(r"```\n(.*?)```", section, re.DOTALL)
        commands = [line for line in block.splitlines() if not ELSEWHERE.search(line)]
        self.machine.run("\n".join([f"cd {FOLDER}", *commands]))

    def configure(self, without=None):
        """Write the file of its environment, but for one variable."""
        lines = [f"{name}={value}\n" for name, value in self.values.items() if name != without]
        self.machine.run(f"cat > /etc/{SITE}.env <<'END'\n{''.join(lines)}END")


@contextmanager
def host(project):
    values = in_production(project)
    with booted(project, FOLDER) as machine:
        host = Host(machine, project, values, (free_port(), free_port()))
        host.follow("Once")
        yield host


@pytest.mark.parametrize("variant", each(DEPLOYED))
async def test_the_unit_serves_behind_nginx_and_drains(variant, installed, note):
    project = installed(variant)
    with host(project) as site:
        machine, server = site.machine, site.servers[0]
        unit = f"/etc/systemd/system/{SITE}@"
        assert machine.run(f"systemd-analyze verify {unit}{server.port}.service") == ""
        exposure = 20 if variant["tasks"] == "celery" else 25  # a site that judges makes sandboxes
        machine.run(f"systemd-analyze security --offline=true --threshold={exposure} {unit}.service")

        for name in ("SECRET_KEY", "DATABASE_URL"):
            site.configure(without=name)
            machine.run(f"systemctl start {server.unit}")
            server.wait_until(lambda: server.show("SubState") == "auto-restart")
            assert server.show("ExecMainStatus") == "1"
            assert f"{name} is missing" in server.output()
            machine.run(f"systemctl stop {server.unit}")

        site.configure()
        machine.run(f"systemctl start {server.unit}")
        seconds = {"started": server.wait_until_healthy()}
        main = f"events {{}}\nhttp {{ {site.text('upstream.conf')} include /etc/nginx/site.conf; }}"
        with nginx(project.folder, main) as proxy:
            seconds["conversed"] = await converse(proxy.url, variant)
        seconds["drained"] = await drains(server, variant)
        assert server.show("Result") == "success"
    note("systemd", variant, **seconds)


@pytest.mark.parametrize("variant", each([SEVERAL]))
async def test_a_new_version_leaves_a_process_to_turn_to_at_any_moment(variant, installed):
    with host(installed(variant)) as site:
        site.configure()
        site.follow(START)
        one, two = site.servers
        student, mentor = people(one.url, variant)
        with closing(student), closing(mentor):
            async with student.open(NOTIFICATIONS) as here, student.at(two.url).open(NOTIFICATIONS) as there:
                restart = asyncio.create_task(asyncio.to_thread(site.follow, START))
                while not restart.done():
                    assert is_healthy(one) or is_healthy(two)
                    await asyncio.sleep(0.05)
                await restart
                assert [await here.closed(), await there.closed()] == [1012, 1012]
        assert is_healthy(one)
        assert is_healthy(two)


async def judges(url, variant):
    """Have a program judged by what serves, as its unit lets it."""
    student, mentor = people(url, variant)
    with closing(student), closing(mentor):
        async with student.open(PATH) as socket:
            *_, last = await judged(socket, await submit(socket, SUM))
            assert last["verdict"] == "accepted", last


def is_healthy(server):
    with suppress(httpx.TransportError):
        return httpx.get(f"{server.url}/api/health/", timeout=5).status_code == 200


@pytest.mark.parametrize("variant", each([{**ALONE, "database": "sqlite", "deployment": "systemd"}]))
async def test_the_database_is_a_file_that_the_service_may_write(variant, installed):
    with host(installed(variant)) as site:
        site.values["DATABASE_URL"] = f"sqlite:////var/lib/{SITE}/db.sqlite3"
        site.configure()
        site.follow(START)
        manage = f"runuser -u {SITE} -- .venv/bin/python manage.py"
        site.machine.run(f"cd {FOLDER} && DEMO_PASSWORD={PASSWORD} {manage} createdemo")
        server = site.servers[0]
        server.wait_until_healthy()
        await converse(server.url, variant)
        await judges(server.url, variant)
        assert "stored and sent" in site.machine.run(
            f"cd {FOLDER} && {manage} send_test_notification --user-id=1"
        )
