"""
Frames from clients: 100 sockets of one server process, each of which sends 15 bytes of JSON, waits for the
answer, and sends again. This template decodes the frame by its type, holds it to three rates, and answers a
`ping` with a `pong`; the peers, which are those of the fan-out, send back what they got.

CPU is that of the server's process, all threads of it, for a frame and its answer. In brackets are the least
and the most of all rounds. The load generator is in Python here and may be full before a server is: then a
rate is its own.
"""

import asyncio
import time

from .common import cpu_seconds
from .fanout import NODE, TITLES, peers, prepare_node, serving
from .handshakes import request
from .project import NO_LIMITS
from .report import Bar, in_rounds, median, ratio, table, with_spread


def masked(text):
    """A frame of a client, masked with zeros."""
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text.encode()


PEERS = ("hub", "bare", "textbook", "ws", "socketio")
SOCKETS = 100
PING = '{"type":"ping"}'
UPGRADED = b"\r\n\r\n"
TALK = {  # the client's first frame, what tells that a socket is open, a frame, and the end of its answer
    "hub": (b"", b'"ready"}', masked(PING), b"}"),
    "bare": (b"", b"", masked(PING), b"}"),
    "textbook": (b"", b"", masked(PING), b"}"),
    "ws": (b"", b"", masked(PING), b"}"),
    "socketio": (masked("40"), b'40{"sid"', masked(f'42["ping",{PING}]'), b"]"),
}


async def echo(server, project, port, sockets, seconds, peer="hub"):
    """How many frames were answered in so many seconds, the server's processor time, our share of a core."""
    hello, is_open, frame, end = TALK[peer]
    opening = request(port, peers(project, port)[peer].path, f"Cookie: {project.cookie}").encode()
    connections = [await connect(port, opening, hello, is_open) for _ in range(sockets)]
    await asyncio.sleep(0.2)  # until the handshakes are done with
    counts, cpu, own = [0] * sockets, cpu_seconds(server), time.process_time()

    async def talk(number):
        reader, writer = connections[number]
        while True:
            writer.write(frame)
            await reader.readuntil(end)
            counts[number] += 1

    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for number in range(sockets):
                group.create_task(talk(number))
    except TimeoutError:
        cpu, own = cpu_seconds(server) - cpu, time.process_time() - own
    for _, writer in connections:
        writer.close()
    return sum(counts), cpu, own / seconds


async def connect(port, opening, hello, is_open):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(opening)
    await reader.readuntil(UPGRADED)
    writer.write(hello)
    if is_open:
        await reader.readuntil(is_open)
    return reader, writer


def measure(name, project, redis_url, seconds):
    """The figures of one peer in one round."""
    with serving(name, project, redis_url, **NO_LIMITS) as (server, port, _):
        asyncio.run(echo(server, project, port, SOCKETS, 0.5, name))  # imports and caches
        echoes, cpu, share = asyncio.run(echo(server, project, port, SOCKETS, seconds, name))
    return {
        "cpu_us": cpu / echoes * 1e6,
        "echoes_per_second": echoes / seconds,
        "generator_cpu": share,
    }


def run(project, redis_url, options):
    names = [name for name in PEERS if name not in NODE or prepare_node()]
    return in_rounds(names, lambda name: measure(name, project, redis_url, options.seconds), options.rounds)


def bars(rounds):
    return [
        Bar(
            "CPU of a frame and its answer, as a multiple of the Channels consumer's",
            ratio(rounds, "hub", "textbook", "cpu_us"),
            most=1,
        )
    ]


def section(rounds):
    rows = [
        [
            TITLES[name],
            with_spread(rounds, name, "cpu_us", ".1f"),
            with_spread(rounds, name, "echoes_per_second", ",.0f"),
            f"{median(rounds, name, 'generator_cpu'):.0%}",
        ]
        for name in rounds[0]
    ]
    return table(["", "CPU of a frame and its answer, µs", "frames/s", "generator CPU"], rows)
