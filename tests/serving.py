"""Projects as their owners meet them: installed by their own Makefile, served by their own command."""

import hashlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import httpx
import psutil
import pytest
import uv

from node_modules import lend_node_modules
from offered import ALL_CONSUMERS, CORE
from polling import until_served
from services import HOST, free_port
from variants import name

PASSWORD = "a-password-for-tests"
# What `make demo-users` does, by one process instead of two.
DEMO_USERS = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createdemo")
"""
STARTS_WITHIN = 40  # seconds, on a busy machine
STOPS_WITHIN = 15

VERSIONS = itemgetter("python_version", "django_version")

# What a test run's own environment must not tell a project.
FOREIGN = re.compile(
    r"(DEBUG|SECRET_KEY|ALLOWED_HOSTS|HTTPS|HSTS_.*|HOST|PORT|DATABASE_URL|REDIS_URL|WEB_CONCURRENCY|LOG_.*"
    r"|DEBUG_TOOLBAR|LOADTEST_TOKEN|SIGN_UP|EMAIL_URL|DEFAULT_FROM_EMAIL|CORS_.*|CSRF_.*|FORWARDED_.*|FRONTEND_.*"
    r"|ICE_SERVERS|TURN_SECRET|METRICS_.*|CELERY_.*|REMAP_SIGTERM|WS_.*|REALTIME_.*|USE_.*|K_SERVICE"
    r"|ASSISTANT_.*|PROBLEMS_.*|JUDGE_.*|OPENAI_.*|ANTHROPIC_.*|GEMINI_.*|AWS_.*|DYNAMODB_.*"
    r"|WSGI_.*|MAX_.*|UNIX_SOCKET|VIRTUAL_ENV|DJANGO_.*|PYTEST_.*|PYTHON.*|MAKE.*|MFLAGS|UV"
    r"|UV_PROJECT_ENVIRONMENT)"
)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
ENVIRONMENT["AWS_EC2_METADATA_DISABLED"] = "true"  # nobody asks this machine for the keys of a cloud

# The versions of what projects depend on, beside those that their owners get: the newest, whatever upper
# bound a project sets, and the lowest that it allows. `make versions` tries both.
RESOLUTION = os.environ.get("RESOLUTION")
assert RESOLUTION in (None, "newest", "lowest-direct"), RESOLUTION
if RESOLUTION == "lowest-direct":
    ENVIRONMENT["UV_RESOLUTION"] = RESOLUTION


def each(variants):
    """Return a test parameter for each variant; all that one variant is tested for runs in one worker."""

    def parameter(variant):
        title = name(variant)
        if variant["consumers"] != ALL_CONSUMERS:
            title += f"-{variant['consumers']}"
        if variant["deployment"] != "none":
            title += "-deployed"
        if variant.get("frontend", "templates") != "templates":
            title += f"-{variant['frontend']}"
        return pytest.param(variant, id=title, marks=pytest.mark.xdist_group(title))

    return list(map(parameter, variants))


@dataclass
class Project:
    """A generated project in a folder of its own, with an environment of its own."""

    folder: Path
    variant: dict[str, str]

    def make(self, *arguments, **environment):
        """Run `make` with these arguments; return what it prints, or fail with it."""
        command = ["make", "--no-print-directory", f"UV={uv.find_uv_bin()}", *arguments]
        return self.run(*command, **environment)

    def manage(self, *arguments, fails=False):
        """Run `manage.py` as another process; return what it prints."""
        return self.run(self.folder / ".venv/bin/python", "manage.py", *arguments, fails=fails)

    def run(self, *command, fails=False, **environment):
        """Run a command in the project's folder, which must succeed, or fail; return what it prints."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=self.folder,
            env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert bool(done.returncode) == fails, f"{command} in {self.folder}\n{done.stdout[-8000:]}"
        return done.stdout

    def dotenv(self):
        """Return what stands in `.env`."""
        lines = (self.folder / ".env").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def set(self, **values):
        """Write values into `.env`, beside those that are there."""
        self.write_env(self.dotenv() | values)

    def write_env(self, values):
        """Write `.env` anew."""
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))


@pytest.fixture(scope="session")
def installed(bake, valkey, request, tmp_path_factory):
    """Return a function that installs a variant, once for the same answers, with a database of its own."""
    projects = {}

    def install(variant):
        title = "_".join(["site", str(len(projects)), *map(variant.get, CORE)])
        folder = tmp_path_factory.mktemp("projects") / title
        shutil.copytree(bake(**variant), folder)
        project = Project(folder, variant)
        values = project.dotenv()
        if "REDIS_URL" in values:
            project.set(REDIS_URL=valkey.database(len(projects)))
        if "DATABASE_URL" in values:
            postgresql = request.getfixturevalue("postgresql")
            project.set(DATABASE_URL=postgresql.add_database(title, values["DATABASE_URL"]))
        hash_quickly(folder / "config/settings.py")
        if RESOLUTION == "newest":
            lift_upper_bounds(folder / "pyproject.toml")
        project.make(".venv/installed")
        alike = [older for older in projects.values() if VERSIONS(older.variant) == VERSIONS(variant)]
        if alike:
            lend_bytecode(alike[-1].folder, folder)
        build_pages(project)
        if "DATABASE_URL" in values:
            fill_postgresql(project, title, request.getfixturevalue("postgresql"))
        else:
            fill_sqlite(project, tmp_path_factory.getbasetemp())
        return project

    def installed(variant):
        key = frozenset(variant.items())
        if key not in projects:
            projects[key] = install(variant)
        return projects[key]

    return installed


def fill_sqlite(project, kept):
    """Give a project a database with demo users: a copy if the folder `kept` has one with such tables."""
    database = project.folder / "db.sqlite3"
    copy = kept / f"{tables(project)}.sqlite3"
    if copy.exists():
        shutil.copy(copy, database)
    else:
        add_demo_users(project)
        shutil.copy(database, copy)


def fill_postgresql(project, name, postgresql):
    """As `fill_sqlite`, for the database of this name."""
    copy = f"kept_{tables(project)}"
    if copy in postgresql.kept:
        postgresql.copy_database(copy, name)
    else:
        add_demo_users(project)
        postgresql.copy_database(name, copy)
        postgresql.kept.add(copy)


def add_demo_users(project):
    project.run(".venv/bin/python", "manage.py", "shell", "-c", DEMO_USERS, DEMO_PASSWORD=PASSWORD)


def tables(project):
    """Return a name that all projects have in common in whose databases the same is at first."""
    patterns = ("*/migrations/*.py", "*/models.py", "*/demo.py", "config/authentication.py")
    files = sorted(file for pattern in patterns for file in project.folder.glob(pattern))
    told = [VERSIONS(project.variant), *((file.name, file.read_bytes()) for file in files)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def build_pages(project):
    """Build the front end of a project that has one."""
    if (project.folder / "frontend").is_dir():
        lend_node_modules(project)
        project.make("build")


def hash_quickly(settings):
    """Have passwords hashed in no time; Django takes a third of a second, at each of many logins."""
    with settings.open("a", encoding="utf-8") as file:
        file.write('\nPASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]\n')


def lift_upper_bounds(pyproject):
    """Let a project have versions of which it is not known yet whether they fit; Django's line stays."""
    pyproject.write_text(re.sub(r"(>=[\w.]+),<[\w.]+", r"\1", pyproject.read_text(encoding="utf-8")))


def lend_bytecode(older, newer):
    """Give a new environment what Python has compiled of the same packages in an older one.

    By the size and the time of a source Python notices whether it is the same, and if not compiles it anew.
    """
    for folder, _, files in os.walk(older / ".venv/lib"):
        place = newer / os.path.relpath(folder, older)
        if place.name == "__pycache__" and place.parent.is_dir():
            place.mkdir(exist_ok=True)
            there = {compiled.name for compiled in place.iterdir()}
            for file in set(files) - there:
                os.link(f"{folder}/{file}", place / file)


class Server:
    """A project's server process and what it has written."""

    def __init__(self, process, port, log, unix_socket=None):
        self.process, self.port, self.log, self.unix_socket = process, port, log, unix_socket
        self.url = f"http://{HOST}:{port}"

    def __str__(self):
        return self.output()

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def processes(self):
        """Return the server's process and all that it has started."""
        try:
            main = psutil.Process(self.process.pid)
            return [main, *main.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def memory(self):
        """Return the resident memory of all its processes, in MiB."""
        return sum(process.memory_info().rss for process in self.processes()) / 2**20

    def terminate(self):
        """Send SIGTERM, as a process manager does."""
        self.process.send_signal(signal.SIGTERM)

    def wait_until(self, condition):
        """Ask until the condition holds; return how long it took."""
        return until_served(condition, STARTS_WITHIN, self.process, self.output)

    def wait_until_healthy(self, status=200):
        """Ask `/api/health/` until it answers with that status; return the seconds."""
        with self.client(timeout=5) as client:
            return self.wait_until(
                lambda: self.listens() and client.get("/api/health/").status_code == status
            )

    def listens(self):
        """Say whether it listens, if at a Unix socket: httpx forgets to close one where nobody is."""
        with socket.socket(socket.AF_UNIX) as probe:
            return self.unix_socket is None or probe.connect_ex(self.unix_socket) == 0

    def client(self, **options):
        """Return an HTTP client of it, by its Unix socket if it has one."""
        transport = httpx.HTTPTransport(uds=self.unix_socket)
        return httpx.Client(base_url=self.url, transport=transport, **options)


@contextmanager
def running(project, target="serve", *, command=None, port=None, status=200, **environment):
    """Run exactly the command behind `make serve`, or another target, on a free port; see `started`.

    Several may run at once. Instead there may be given a command, or the port.
    """
    if command is None:
        command = shlex.split(project.make("--dry-run", target).splitlines()[-1])
    port = port or free_port()
    log = project.folder.with_suffix(f".{port}.log")
    environment |= {"HOST": HOST, "PORT": str(port)}
    with started(command, project.folder, log, port, status=status, **environment) as server:
        yield server


@contextmanager
def started(command, folder, log, port, *, status=200, **environment):
    """Run a command that serves a project on a port, in a folder, with these variables.

    Yields the `Server` once its health answers with that status. When the block ends, the server is told to
    stop, and nothing that it started may survive.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, port, log, environment.get("UNIX_SOCKET"))
    family = []
    try:
        server.starting = server.wait_until_healthy(status)
        family = server.processes()
        yield server
    finally:
        if process.poll() is None:
            family = server.processes()
            server.terminate()
        _, alive = psutil.wait_procs(family, timeout=STOPS_WITHIN)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not alive, f"still running {STOPS_WITHIN} s after SIGTERM: {alive}\n{server.output()}"
