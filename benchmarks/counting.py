"""
What it costs to count (`realtime/stats.py`, and the sampler of the event loop's lag): a project as it is
generated, and one without the lines that count.

Fan-out as above, and the echo of a `ping`: 32 sockets, each with one frame under way at a time. Rates are as
high as the machine lets them be, and vary more than what is measured; the server's own processor time for
each delivery or echo does less.
"""

import asyncio
import contextlib
import dataclasses
import re
import shutil
from collections import Counter

from .common import Load, cpu_seconds, free_port, running
from .project import ENVIRONMENT
from .report import Bar, median, ratio, table

TITLES = {"counted": "as generated", "uncounted": "without counting"}
COUNTING = re.compile(
    r"^( +)(stats\.[\w.]+(\[.+\])? \+= .+|stats\.\w+\.observe\(.+\)|self\.(outbox\.)?sent \+= 1"
    r"|self\.received \+= 1|self\.lag = LagSampler\(\))$",
    re.MULTILINE,
)
LEAST = 20  # lines that count
SOCKETS = 32  # of the echo
TURNS = 10  # of each project in a round
PING = b'{"type":"ping"}'
FRAME = bytes((0x81, 0x80 | len(PING), 0, 0, 0, 0)) + PING  # masked with zeros
RATES = {"WS_RATE": "1000000/second", "WS_USER_RATE": "1000000/second", "WS_BYTE_RATE": "1000000000/second"}


def without_counting(project):
    """A copy of the project in which the lines that count do nothing."""
    path = project.path.with_name(f"{project.path.name}_uncounted")
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(project.path, path, ignore=shutil.ignore_patterns(".venv"))
    lines = 0
    for module in path.glob("realtime/*.py"):
        text, found = COUNTING.subn(r"\1pass", module.read_text())
        module.write_text(text)
        lines += found
    if lines < LEAST:
        raise RuntimeError(f"only {lines} lines that count were found in {path}")
    return dataclasses.replace(project, path=path)


@contextlib.contextmanager
def serving(project, redis_url, sockets):
    """A server, the load generator connected to it, and what `echo` needs."""
    port = free_port()
    environment = {**ENVIRONMENT, **RATES, "PORT": str(port), "REDIS_URL": redis_url}
    header = f"Cookie: {project.cookie}\r\nOrigin: http://127.0.0.1:{port}"
    command = [project.python, "-m", "benchmarks.peers.hub"]
    with (
        running(command, port, project.path, **environment) as server,
        Load(port, "/ws/bench/", sockets, "-H", header, "-r", '"ready"') as load,
    ):
        load.run(events=3)
        yield server, load, (port, header)


def measure(projects, redis_url, sockets, seconds):
    """The figures of all projects in one round; they take turns, since the machine is not always the same."""
    totals = {name: Counter() for name in projects}
    with contextlib.ExitStack() as stack:
        servers = {
            name: stack.enter_context(serving(project, redis_url, sockets))
            for name, project in projects.items()
        }
        for turn in range(TURNS):
            for name in servers if turn % 2 == 0 else reversed(servers):
                server, load, address = servers[name]
                cpu = cpu_seconds(server)
                fanout = load.run(seconds / TURNS, events=3, window=4)
                cpu = cpu_seconds(server) - cpu
                echoes, echo_cpu = asyncio.run(echo(*address, seconds / TURNS, server))
                totals[name].update(
                    deliveries=fanout["deliveries"],
                    delivering=fanout["deliveries"] / fanout["deliveries_per_second"],
                    delivery_cpu=cpu,
                    echoes=echoes,
                    echo_cpu=echo_cpu,
                    lost=fanout["lost"] + fanout["repeated"],
                )
    return {name: figures(total, seconds) for name, total in totals.items()}


def figures(total, seconds):
    return {
        "deliveries_per_second": total["deliveries"] / total["delivering"],
        "delivery_us": total["delivery_cpu"] / total["deliveries"] * 1e6,
        "echoes_per_second": total["echoes"] / seconds,
        "echo_us": total["echo_cpu"] / total["echoes"] * 1e6,
        "lost": total["lost"],
    }


async def echo(port, header, seconds, server):
    """How many pings were answered in so many seconds, and the server's processor time for that."""
    connections = [await connect(port, header) for _ in range(SOCKETS)]
    await asyncio.sleep(0.2)  # until the handshakes are done with
    counts, cpu = [0] * SOCKETS, cpu_seconds(server)

    async def talk(number):
        reader, writer = connections[number]
        while True:
            writer.write(FRAME)
            await reader.readuntil(b"}")
            counts[number] += 1

    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for number in range(SOCKETS):
                group.create_task(talk(number))
    except TimeoutError:
        cpu = cpu_seconds(server) - cpu
    for _, writer in connections:
        writer.close()
    return sum(counts), cpu


async def connect(port, header):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = [
        "GET /ws/bench/ HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        header,
    ]
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
    await reader.readuntil(b'"ready"}')
    return reader, writer


def run(project, redis_url, options):
    projects = {"counted": project, "uncounted": without_counting(project)}
    rounds = []
    for number in range(options.rounds):
        rounds.append(measure(projects, redis_url, options.sockets, options.seconds))
        print(f"round {number + 1} of {options.rounds}: counting: {rounds[-1]}", flush=True)
    return rounds


def bars(rounds):
    delivery, echo = (ratio(rounds, "counted", "uncounted", key) for key in ("delivery_us", "echo_us"))
    return [
        Bar("processor time of a delivery, as a multiple of that without counting", delivery, most=1.05),
        Bar("... of an echo", echo, most=1.05),
    ]


COLUMNS = {
    "deliveries_per_second": ("deliveries/s", ",.0f"),
    "delivery_us": ("CPU each, µs", ".2f"),
    "echoes_per_second": ("echoes/s", ",.0f"),
    "echo_us": ("CPU each, µs", ".1f"),
}


def section(rounds):
    rows = [
        [title, *(format(median(rounds, name, key), spec) for key, (_, spec) in COLUMNS.items())]
        for name, title in TITLES.items()
    ]
    return table(["", *(title for title, _ in COLUMNS.values())], rows)
