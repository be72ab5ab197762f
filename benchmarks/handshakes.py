"""
What it takes to open a socket, of as many users: with a session, a token, or a ticket that stands for a
token, on SQLite and on PostgreSQL, beside the bare ASGI app of the fan-out, which asks nobody who they are.
Each client is a user of its own; a socket is open when its first frame has come.

First 1,000 handshakes, 20 of them under way at a time; then, at another server, all sockets at once, as when
a server comes back after a deploy. A client that is refused tries again after a second, one that has waited
for 10 seconds at once. Meanwhile one that came before pings every 10 ms. CPU is that of the server's whole
process, all its threads together, for each handshake; the database's own processes are not in it.
"""

import contextlib
import json
import subprocess
import time

from .common import BUILD, compiled, cpu_seconds, free_port, running, uvicorn
from .leaderboard import database, shell
from .project import ENVIRONMENT, generate
from .report import Bar, in_rounds, median, ratio, table

SERIES, AT_ONCE = 1000, 20
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
PROOFS = ("session", "token", "ticket")
TITLES = {"bare": "bare ASGI app"} | {
    f"{kind}_{proof}": f"{proof}, {title}" for kind, title in DATABASES.items() for proof in PROOFS
}
PEOPLE = """
from django.contrib.auth import get_user_model
User = get_user_model()
User.objects.bulk_create(User(username=f"person-{{number}}", password="!") for number in range({count}))
"""
# Prints a line for each person. A client may need another ticket, so there are two of these.
PROVE = """
from accounts.tokens import RefreshToken
from django.contrib.auth import get_user_model
from django.db import transaction
from realtime import auth_ticket
from realtime.auth_jwt import TokenAuthenticator
from realtime.auth_session import SessionAuthenticator
auth_ticket.TICKET_SECONDS = 600
with transaction.atomic():
    for person in get_user_model().objects.filter(username__startswith="person-"):
        token = str(RefreshToken.for_user(person).access_token)
        if "{proof}" == "session":
            print(SessionAuthenticator().log_in(person)["Cookie"])
        elif "{proof}" == "token":
            print(token)
        else:
            print(*(auth_ticket.issue(TokenAuthenticator, token) for _ in range(2)), sep="\\n")
"""


def request(port, path="/ws/bench/", header=""):
    """A handshake, as bytes of HTTP."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *([header] if header else []),
    ]
    return "\r\n".join(lines) + "\r\n\r\n"


def asking(proof, value, port):
    """The handshake of a client that offers a proof."""
    if proof == "ticket":
        return request(port, f"/ws/bench/?ticket={value}")
    return request(
        port, header={"session": f"Cookie: {value}", "token": f"Authorization: Bearer {value}"}[proof]
    )


@contextlib.contextmanager
def clients(port, requests, count, at_once, ours):
    """What the generator says when all sockets are open, for as long as they stay so."""
    marker, ping = ('"ready"', '{"type":"ping"}') if ours else ("", "")
    command = [BUILD / "storm", str(port), str(count), str(at_once), marker, ping]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write("".join(requests) + ".\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator has ended")
        yield json.loads(line)
        process.stdin.close()


def measure_with(command, port, path, environment, make_requests, count, at_once, ours):
    """The figures of so many handshakes at a server of their own."""
    with running(command, port, path, **environment) as server:
        with clients(port, make_requests(), 50, AT_ONCE, ours):  # imports, caches, the first connections
            pass
        time.sleep(1)
        requests = make_requests()
        cpu = cpu_seconds(server)
        with clients(port, requests, count, at_once, ours) as figures:
            return figures | {"cpu_us": (cpu_seconds(server) - cpu) / count * 1e6}


class Stack:
    """A project on a database, with as many users as there are sockets."""

    def __init__(self, kind, services, redis_url, sockets):
        self.environment = ENVIRONMENT | services | {"REDIS_URL": redis_url, "WS_RATE": "1000/second"}
        slug = f"bench_handshakes_{kind}"
        self.project = generate(services, project_slug=slug, auth="session_jwt", database=kind)
        shell(self.project, PEOPLE.format(count=sockets), self.environment)
        self.made = {proof: self.make(proof) for proof in ("session", "token")}

    def make(self, proof):
        return shell(self.project, PROVE.format(proof=proof), self.environment).split("\n")[:-1]

    def measure(self, proof, count, at_once):
        port = free_port()

        def requests():
            values = self.made.get(proof) or self.make(proof)
            return [asking(proof, value, port) for value in values]

        command = [self.project.python, "-m", "benchmarks.peers.hub"]
        environment = {**self.environment, "PORT": str(port)}
        return measure_with(
            command, port, self.project.path, environment, requests, count, at_once, ours=True
        )


def measure_bare(project, count, at_once):
    port = free_port()
    command = uvicorn("benchmarks.peers.bare:application", port, project.python)
    return measure_with(
        command, port, project.path, ENVIRONMENT, lambda: [request(port, "/ws/")], count, at_once, ours=False
    )


def run(project, redis_url, options):
    compiled("storm.c")
    with contextlib.ExitStack() as services:
        stacks = {
            kind: Stack(kind, services.enter_context(database(kind)), redis_url, options.sockets)
            for kind in DATABASES
        }

        def measure(name):
            kind, _, proof = name.partition("_")
            if name == "bare":
                measured = [measure_bare(project, *each) for each in sizes]
            else:
                measured = [stacks[kind].measure(proof, *each) for each in sizes]
            series, storm = measured
            return series | {f"storm_{key}": figure for key, figure in storm.items()}

        sizes = [(min(SERIES, options.sockets), AT_ONCE), (options.sockets, options.sockets)]
        return in_rounds(list(TITLES), measure, options.rounds)


def bars(rounds):
    result = []
    for name in list(TITLES)[1:]:
        # How many handshakes one server bears in the time of another is the inverse of what each takes.
        result += [
            Bar(
                f"{TITLES[name]}: handshakes for the bare app's CPU of one, all at once",
                ratio(rounds, "bare", name, "storm_cpu_us"),
                0.5 if name.endswith("session") else 0.8,
            ),
            Bar(
                f"{TITLES[name]}: time until all are back, as a multiple of the bare app's",
                ratio(rounds, name, "bare", "storm_seconds"),
                most=3,
            ),
        ]
    ours = [figures[name] for figures in rounds for name in list(TITLES)[1:]]
    return [
        *result,
        Bar("clients that were refused", sum(each["storm_refused"] for each in ours), most=0),
        Bar("clients that gave up", sum(each["storm_gave_up"] for each in ours), most=0),
        Bar(
            "p99 of another socket's pings meanwhile in ms",
            max(median(rounds, name, "storm_ping_p99_ms") for name in list(TITLES)[1:]),
            most=100,
        ),
    ]


COLUMNS = {  # key: title, format
    "cpu_us": ("server CPU each, µs", ",.0f"),
    "per_second": ("handshakes/s", ",.0f"),
    "p50_ms": ("p50 ms", ",.0f"),
    "p99_ms": ("p99 ms", ",.0f"),
}
STORM = {
    "storm_cpu_us": ("server CPU each, µs", ",.0f"),
    "storm_seconds": ("until all are back, s", ".1f"),
    "storm_p50_ms": ("p50 ms", ",.0f"),
    "storm_p99_ms": ("p99 ms", ",.0f"),
    "storm_refused": ("refused", ",.0f"),
    "storm_gave_up": ("gave up", ",.0f"),
    "storm_ping_p99_ms": ("pings p99 ms", ",.0f"),
    "storm_ping_max_ms": ("max ms", ",.0f"),
    "storm_cpu": ("generator CPU", ".0%"),
}


def section(rounds):
    parts = []
    for title, columns in (("20 at a time", COLUMNS), ("All at once", STORM)):
        rows = [
            [TITLES[name], *(format(median(rounds, name, key), spec) for key, (_, spec) in columns.items())]
            for name in TITLES
        ]
        parts.append(f"**{title}**\n\n{table(['', *(head for head, _ in columns.values())], rows)}")
    return "\n\n".join(parts)
