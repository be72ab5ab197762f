"""
What 100,000 sockets on ten processes take: measured with one process, and multiplied. Nobody has connected
100,000 clients for this page.

The process under test is this template with Uvicorn, Redis and sessions, as in
[benchmarks.md](benchmarks.md). What is measured: memory, its own and the kernel's (a socket's buffers
and file, which no process shows; half of what both ends take here); CPU of its process for a handshake,
a delivery of an event of 200 bytes and a `ping` that is answered; what Redis sends for an event, and its CPU
for each process that gets it.
"""

import asyncio
import contextlib
import time
from pathlib import Path

import redis

from .common import Load, cpu_seconds, rss
from .counting import serving
from .fanout import headers
from .inbound import SOCKETS as TALKING
from .inbound import echo
from .report import Bar, median, table, with_spread

EVENT = 200  # bytes
EVENTS = 200  # for Redis
LISTENERS = 9  # processes beside the one that is measured, as far as Redis can tell
SOCKETS, PROCESSES = 100_000, 10  # of the simulation
HEARTBEAT = 25  # seconds between two pings of a client, as `connection_established` says
PINGED = 20  # seconds between two pings of the server; serving/websocket_limits.py
HANDSHAKES = 200  # a second and process, over which clients are spread; realtime/sockets.py
ROOM, SAID = 20, 10  # members of a room, and seconds between two messages in it
KERNEL = """
## The kernel

For each host that bears 100,000 connections, such as a proxy's:

```
cat > /etc/sysctl.d/90-websockets.conf <<'SETTINGS'
net.ipv4.ip_local_port_range = 10240 65535
net.ipv4.tcp_max_syn_backlog = 8192
net.ipv4.tcp_wmem = 4096 16384 262144
net.netfilter.nf_conntrack_max = 524288
SETTINGS
sysctl --system
```

- **Files.** A socket is one in the process that serves it and two in a proxy. A process here needs an
  `ulimit -n` of {files:,} (`LimitNOFILE=`, `nofile`, `minfds`; the files in `deploy/` have 65,536), and nginx
  with two workers a `worker_rlimit_nofile` of 262,144 and `worker_connections` of 131,072.
  `WS_MAX_SOCKETS` is how many sockets a process takes (10,000) before it answers 1013.
- **Ports.** A proxy can have 28,232 connections to one address and port, and 55,296 with the range above; the
  ports that servers listen on have to be below that. So ten processes behind one port (`WEB_CONCURRENCY=10`)
  have to listen at two addresses; those with a port or a Unix socket each need no more than the default.
- **Queues.** When all come back at once, their handshakes wait to be accepted: servers here ask
  for room for 2,048, and `net.core.somaxconn` allows 4,096 unless it was lowered.
- **Buffers.** The kernel takes as much as the last number of `tcp_wmem` for a client that does not read,
  before its backlog grows here and it is closed. That is 4 MB by default: 4 GB for a thousand of them.
- **Connection tracking** is only where a firewall has it; a proxy has two entries for each client."""


def kernel_memory():
    """What the kernel holds for its own objects, sockets among them, in bytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Slab:"))


def redis_figures(client):
    info = client.info()
    return info["total_net_output_bytes"], info["used_cpu_user"] + info["used_cpu_sys"]


def measure_redis(client, load):
    """What Redis sends for an event, and its processor time."""
    sent, cpu = redis_figures(client)
    load.run(events=EVENTS, window=4, size=EVENT)
    sent_after, cpu_after = redis_figures(client)
    return (sent_after - sent) / EVENTS, (cpu_after - cpu) / EVENTS * 1e6


def measure(project, redis_url, sockets, seconds):
    """The figures of one round."""
    with (
        serving(project, redis_url, 50) as (server, first, port),
        redis.Redis.from_url(redis_url) as client,
    ):
        base, kernel, cpu = rss(server), kernel_memory(), cpu_seconds(server)
        with Load(port, "/ws/bench/", sockets, "-H", headers(project, port), "-r", '"ready"') as load:
            handshake = (cpu_seconds(server) - cpu) / sockets
            time.sleep(1)
            memory = (rss(server) - base) / sockets
            kernel = (kernel_memory() - kernel) / sockets / 2
            cpu = cpu_seconds(server)
            delivered = load.run(seconds, events=3, gap=20, size=EVENT)["deliveries"]
            delivery = (cpu_seconds(server) - cpu) / delivered
        echoes, echo_cpu, _ = asyncio.run(echo(server, project, port, TALKING, seconds))
        out, redis_cpu = measure_redis(client, first)
        with contextlib.ExitStack() as stack:
            (channel,) = [name for name in client.pubsub_channels() if name.endswith(b"__group__bench")]
            for _ in range(LISTENERS):
                listener = stack.enter_context(client.pubsub())
                listener.subscribe(channel)
                listener.get_message(timeout=1)
            out_all, redis_cpu_all = measure_redis(client, first)
    return {
        "base_mb": base / 1e6,
        "memory_kb": memory / 1024,
        "kernel_kb": kernel / 1024,
        "handshake_us": handshake * 1e6,
        "delivery_us": delivery * 1e6,
        "echo_us": echo_cpu / echoes * 1e6,
        "redis_bytes": (out_all - out) / LISTENERS,
        "redis_us": redis_cpu,
        "redis_each_us": max(0, redis_cpu_all - redis_cpu) / LISTENERS,
    }


def run(project, redis_url, options):
    rounds = []
    for number in range(options.rounds):
        rounds.append({"hub": measure(project, redis_url, options.sockets, options.seconds)})
        print(f"round {number + 1} of {options.rounds}: scaling: {rounds[-1]['hub']}", flush=True)
    return rounds


def bars(rounds):
    return [Bar("GB of memory for 100,000 sockets, the kernel's among it", memory_gb(rounds), most=8)]


def memory_gb(rounds):
    base, own, kernel = (median(rounds, "hub", key) for key in ("base_mb", "memory_kb", "kernel_kb"))
    return (base * PROCESSES * 1e6 + (own + kernel) * SOCKETS * 1024) / 1e9


FIGURES = {  # key: title, format
    "base_mb": ("memory of a process with few sockets, MB", ".0f"),
    "memory_kb": ("memory of a socket in it, KB", ".1f"),
    "kernel_kb": ("... and in the kernel, KB", ".1f"),
    "handshake_us": ("CPU of a handshake, µs", ",.0f"),
    "delivery_us": ("... of a delivery, µs", ".1f"),
    "echo_us": ("... of a `ping` and its answer, µs", ".0f"),
    "redis_bytes": ("bytes that Redis sends a process for an event", ".0f"),
    "redis_us": ("CPU of Redis for an event, µs", ".0f"),
    "redis_each_us": ("... more for each further process, µs", ".1f"),
}


def section(rounds):
    measured = [[title, with_spread(rounds, "hub", key, spec)] for key, (title, spec) in FIGURES.items()]
    parts = [
        table(["one process", "median (least to most)"], measured),
        table(["100,000 sockets on ten processes", "", ""], simulated(rounds)),
        KERNEL.strip().format(files=SOCKETS // PROCESSES * 12 // 10),
    ]
    return "\n\n".join(parts)


def simulated(rounds):
    """The rows of what all of them take: what, how much, and how that comes about."""
    figure = {key: median(rounds, "hub", key) for key in FIGURES}
    handshake, delivery, echo, redis_us, redis_each = (
        figure[key] / 1e6 for key in ("handshake_us", "delivery_us", "echo_us", "redis_us", "redis_each_us")
    )
    own = figure["base_mb"] * PROCESSES / 1e3 + figure["memory_kb"] * SOCKETS * 1024 / 1e9
    kernel = figure["kernel_kb"] * SOCKETS * 1024 / 1e9
    pings = SOCKETS / HEARTBEAT + SOCKETS / PINGED
    to_all = SOCKETS * delivery
    said = SOCKETS / ROOM / SAID
    copies = PROCESSES * (1 - (1 - 1 / PROCESSES) ** ROOM)  # processes that have a member of a room
    sent = said * copies * figure["redis_bytes"]
    back = SOCKETS * handshake
    return [
        ["memory of the processes", f"{own:.1f} GB", f"ten processes and {SOCKETS:,} sockets"],
        ["memory of the kernel", f"{kernel:.1f} GB", "while all clients read"],
        ["files", f"{SOCKETS:,}", f"{SOCKETS // PROCESSES:,} for a process; twice as many for a proxy"],
        [
            "heartbeats",
            f"{pings * echo:.2f} cores",
            f"{pings:,.0f} pings a second: a client's each {HEARTBEAT} s, the server's each {PINGED} s",
        ],
        [
            "an event to all",
            f"{to_all:.2f} core seconds",
            f"{to_all / PROCESSES * 1000:.0f} ms with a core for each process, so at most"
            f" {PROCESSES / to_all:.0f} a second",
        ],
        [
            f"rooms of {ROOM}, with a message each {SAID} s",
            f"{said * ROOM * delivery:.2f} cores",
            f"{said:,.0f} events and {said * ROOM:,.0f} deliveries a second; taking and storing not counted",
        ],
        [
            "... in Redis",
            f"{sent * 8 / 1e6:.1f} Mbit/s",
            f"each event to {copies:.1f} processes;"
            f" {said * (redis_us + (copies - 1) * redis_each):.2f} of its core",
        ],
        [
            "an event to all, in Redis",
            f"{PROCESSES * figure['redis_bytes'] / 1e3:.1f} KB",
            f"{(redis_us + (PROCESSES - 1) * redis_each) * 1e6:.0f} µs of its core",
        ],
        [
            "everybody comes back",
            f"{back:.0f} core seconds",
            f"{back / PROCESSES:.0f} s with a core for each process; clients are told to take"
            f" {SOCKETS / PROCESSES / HANDSHAKES:.0f} s",
        ],
    ]
