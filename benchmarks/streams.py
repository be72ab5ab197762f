"""
Answers that stream: a generated project with `assistant`, served by its own command in one process, in which
many chat sessions of a user are open, and in some of them an answer of the built-in `echo` streams, 50 words
a second. What is sent to each is joined for 40 ms, as for any model.

The lag of the event loop is that of a grid of 2 ms while the answers stream. Each answer has to arrive whole
and in order.
"""

import asyncio
import contextlib
import json
import time

from websockets.asyncio.client import connect

from .common import cpu_seconds, free_port, get_json, rss, running
from .project import ENVIRONMENT, generate
from .project import run as run_command
from .report import Bar, in_rounds, median, table

CASES = {  # name: what it is called, how many sessions are open, and how many answers stream
    "50": ("50 answers", 50, 50),
    "200": ("200 answers", 200, 200),
    "1000": ("50 answers, 1,000 sessions open", 1000, 50),
}
WORDS_A_SECOND = 50  # of echo
LIMITS = {
    "WS_USER_RATE": "1000000/second",
    "ASSISTANT_CONCURRENT": "1000",
    "ASSISTANT_MAX_TOKENS": "100000",
    "ASSISTANT_PROMPT_CHARS": "100000",
}
SESSIONS = """
from assistant.models import ChatSession
from django.contrib.auth import get_user_model
user = get_user_model().objects.get(username="bench")
made = ChatSession.objects.bulk_create([ChatSession(owner=user) for _ in range({})])
print(*[session.pk for session in made])
"""


def measure(name, project, environment, seconds):
    """The figures of one case in one round."""
    _, sessions, streams = CASES[name]
    code = SESSIONS.format(sessions)
    command = [project.python, "manage.py", "shell", "--no-imports", "--command", code]
    ids = run_command(command, project.path, **environment).split()
    port = free_port()
    serve = [project.python, "-m", "benchmarks.peers.answering"]
    with running(serve, port, project.path, **environment, PORT=str(port)) as server:
        return asyncio.run(talk(server, port, project.cookie, ids, streams, seconds))


async def talk(server, port, cookie, ids, streams, seconds):
    prompt = " ".join(f"word{number}" for number in range(int(seconds * WORDS_A_SECOND)))
    firsts, deltas, wrong = [], 0, 0
    opening = asyncio.Semaphore(50)

    async def enter(id):
        address = f"ws://127.0.0.1:{port}/ws/chat/session/{id}/"
        options = {"origin": f"http://127.0.0.1:{port}", "additional_headers": {"Cookie": cookie}}
        async with opening:
            socket = await connect(address, **options, proxy=None, compression=None, ping_interval=None)
            sockets.append(await stack.enter_async_context(socket))
            await sockets[-1].recv()  # connection_established

    async def stream(socket):
        nonlocal deltas, wrong
        begin, text = time.perf_counter(), ""
        await socket.send(json.dumps({"type": "chat_message", "message": prompt, "providers": ["echo"]}))
        while (frame := json.loads(await socket.recv()))["type"] != "message_finished":
            if frame["type"] == "message_delta":
                if not text:
                    firsts.append(time.perf_counter() - begin)
                deltas += 1
                wrong += frame["offset"] != len(text)
                text += frame["text"]
            elif frame["type"] == "error":
                raise RuntimeError(frame)
        wrong += text != prompt

    sockets = []
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(120 + 5 * seconds):
        await asyncio.gather(*map(enter, ids))
        await stream(sockets[0])  # imports and caches
        firsts.clear()
        deltas = 0
        await asyncio.to_thread(get_json, port, "/lag")
        await asyncio.sleep(0.2)
        await asyncio.to_thread(get_json, port, "/lag")
        cpu, begin = cpu_seconds(server), time.perf_counter()
        await asyncio.gather(*map(stream, sockets[:streams]))
        wall = time.perf_counter() - begin
        lag = await asyncio.to_thread(get_json, port, "/lag")
        firsts.sort()
        return {
            **{f"lag_{key}_ms": figure for key, figure in lag.items()},
            "first_p50_ms": firsts[len(firsts) // 2] * 1000,
            "first_p99_ms": firsts[int(len(firsts) * 0.99)] * 1000,
            "deltas_per_second": deltas / wall,
            "slower": wall / seconds,
            "server_cpu": (cpu_seconds(server) - cpu) / wall,
            "mib": rss(server) / 2**20,
            "wrong": wrong,
        }


def run(project, redis_url, options):
    made = generate(project_slug="bench_streams", consumers="assistant")
    environment = ENVIRONMENT | LIMITS | {"REDIS_URL": redis_url, "HOST": "127.0.0.1"}
    return in_rounds(
        list(CASES), lambda name: measure(name, made, environment, options.seconds), options.rounds
    )


def bars(rounds):
    wrong = sum(figures[name]["wrong"] for figures in rounds for name in CASES)
    return [
        Bar("lag of the event loop with 50 answers, p99 in ms", median(rounds, "50", "lag_p99_ms"), most=50),
        Bar("the same with 1,000 sessions open", median(rounds, "1000", "lag_p99_ms"), most=50),
        Bar("answers that did not arrive whole, in order", wrong, most=0),
    ]


def section(rounds):
    keys = ["lag_p50_ms", "lag_p99_ms", "lag_max_ms", "first_p50_ms", "first_p99_ms"]
    head = [
        "",
        "lag p50 ms",
        "p99 ms",
        "most ms",
        "first word p50 ms",
        "p99 ms",
        "deltas/s",
        "time they took",
    ]
    rows = [
        [
            title,
            *(f"{median(rounds, name, key):.1f}" for key in keys),
            f"{median(rounds, name, 'deltas_per_second'):,.0f}",
            f"{median(rounds, name, 'slower'):.2f} of what echo needs",
            f"{median(rounds, name, 'server_cpu'):.0%}",
            f"{median(rounds, name, 'mib'):.0f}",
        ]
        for name, (title, *_) in CASES.items()
    ]
    return table([*head, "server CPU", "MiB"], rows)
