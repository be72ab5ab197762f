"""Commands and workers publish: the last event arrives, nobody waits, and wrong events are refused."""

import asyncio
import json
import re
from contextlib import asynccontextmanager, closing, suppress
from types import SimpleNamespace

import pytest

from client import Person
from conversation import NOTIFICATIONS
from follower import Follower
from services import HOST
from serving import ENVIRONMENT, each, running
from variants import BOOTED, first

PLACES = [("uvicorn", "redis"), ("daphne", "redis_queue")]
VARIANTS = [v for v in BOOTED if (v["server"], v["channel_layer"]) in PLACES and v["auth"] == "session"]
ALONE = first(channel_layer="memory", auth="session")
ENDS_WITHIN = 20  # seconds
MANY = 50_000


@pytest.fixture(scope="module", params=each(VARIANTS))
def served(request, installed):
    project = installed(request.param)
    with running(project) as server:
        yield SimpleNamespace(project=project, server=server)


@pytest.fixture
def student(served):
    with closing(Person(served.server.url, "student", "session")) as student:
        yield student


@asynccontextmanager
async def script(project, code, **environment):
    """Run code with `manage.py shell`; yields the process, which must have ended well after the block."""
    process = await asyncio.create_subprocess_exec(
        str(project.folder / ".venv/bin/python"),
        *("manage.py", "shell", "-v", "0", "-c", code),
        cwd=project.folder,
        env=ENVIRONMENT | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
        async with asyncio.timeout(ENDS_WITHIN):
            assert await process.wait() == 0, await process.stdout.read()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def output(process, until=None):
    """Return what a process prints, to its end or to a line that begins like that."""
    lines = []
    try:
        async with asyncio.timeout(ENDS_WITHIN):
            async for line in process.stdout:
                lines.append(line.decode())
                if until and lines[-1].startswith(until):
                    break
    except TimeoutError:
        raise AssertionError(f"it did not get on within {ENDS_WITHIN} s; it said: {lines}") from None
    return "".join(lines)


def user_id(follower):
    return follower.frames[0]["user"]["id"]


LAST = """
from notifications.notify import notify_user
notify_user({}, "last-words", {{"turn": {!r}}})
"""


async def test_the_last_event_of_a_process_is_delivered_before_it_ends(served, student):
    """Without `flush()`, and with a host name, for which Python has to ask a thread."""
    url = served.project.dotenv()["REDIS_URL"]
    hosts = [*["localhost"] * 5, HOST]
    async with Follower(student, NOTIFICATIONS) as follower:
        for turn, host in enumerate(hosts):
            code = LAST.format(user_id(follower), f"{turn} {host}")
            async with script(served.project, code, REDIS_URL=url.replace(HOST, host)):
                pass

        def turns():
            return [f["data"]["turn"] for f in follower.frames if f.get("kind") == "last-words"]

        await follower.until(lambda: len(turns()) >= len(hosts), within=5)
        assert turns() == [f"{turn} {host}" for turn, host in enumerate(hosts)]
        assert not follower.codes


FLOOD = """
import json
import time
from realtime.publish import publish

longest, start = 0, time.monotonic()
for number in range({}):
    before = time.monotonic()
    publish("notifications.{}", {{"type": "number", "number": number}})
    longest = max(longest, time.monotonic() - before)
print("DONE", json.dumps([time.monotonic() - start, longest]), flush=True)
"""


async def test_publishing_never_waits(served, student, valkey):
    """What is too much is dropped and counted in the log."""
    async with Follower(student, NOTIFICATIONS) as follower:
        with valkey.stopped():
            code = FLOOD.format(MANY, user_id(follower))
            async with script(served.project, code) as process:
                before = await output(process, until="DONE")
                total, longest = json.loads(before.splitlines()[-1].removeprefix("DONE"))
                valkey.go_on()
                log = before + await output(process)
    assert total < 5
    assert longest < 2  # once a command is held up, in case it is just faster than Redis
    lines = [line for line in log.splitlines() if "dropped" in line]
    assert lines, log[-3000:]
    assert all(" WARNING realtime: " in line for line in lines), lines
    counts = [int(re.search(r"\d[\d,_]*", line.split(" realtime: ")[1])[0]) for line in lines]
    assert 0 < sum(counts) <= MANY, lines


FORK = """
import os
from realtime.publish import flush, publish

def say(who):
    for number in range(20):
        publish("notifications.{0}", {{"type": "fork", "who": who, "number": number}})

say("before")
if (child := os.fork()) == 0:
    say("child")
    os._exit(0 if flush() else 3)
say("parent")
assert os.waitpid(child, 0)[1] == 0
"""

# A process that serves sockets: its hub is on a loop that goes on, but not in the child.
FORK_OF_A_SERVER = """
import asyncio
import os
from realtime.hub import get_hub
from realtime.publish import flush, publish

def say(who):
    for number in range(20):
        publish("notifications.{0}", {{"type": "fork", "who": who, "number": number}})

def fork():
    say("before")
    if (child := os.fork()) == 0:
        say("child")
        os._exit(0 if flush() else 3)
    say("parent")
    return os.waitpid(child, 0)[1]

async def main():
    await get_hub().start()
    assert await asyncio.to_thread(fork) == 0
    assert await asyncio.to_thread(flush)

asyncio.run(main())
"""


@pytest.mark.parametrize("code", [FORK, FORK_OF_A_SERVER], ids=["a-command", "a-server"])
async def test_a_forked_process_publishes_on_a_loop_of_its_own(code, served, student):
    async with Follower(student, NOTIFICATIONS) as follower:
        async with script(served.project, code.format(user_id(follower))):
            pass

        def said():
            return sorted((f["who"], f["number"]) for f in follower.frames if f["type"] == "fork")

        await follower.until(lambda: len(said()) >= 60, within=5)
        assert said() == [(who, number) for who in ("before", "child", "parent") for number in range(20)]


REFUSED = """
import asyncio
import datetime
import json
import time
from realtime.publish import apublish, publish, send_event

frame, event = {"type": "news"}, {"type": "news.changed"}
calls = {
    "a colon": lambda: publish("room:1", frame),
    "a colon, async": lambda: asyncio.run(apublish("room:1", frame)),
    "a colon, plain": lambda: send_event("room:1", event),
    "a long name": lambda: publish("r" * 200, frame),
    "a long name, plain": lambda: send_event("r" * 200, event),
    "a time": lambda: send_event("room.1", event | {"at": datetime.datetime.now()}),
    "a set": lambda: send_event("room.1", event | {"ids": {1, 2}}),
    "a set within": lambda: send_event("room.1", event | {"all": [{"ids": {1, 2}}]}),
    "keys that are no strings": lambda: send_event("room.1", event | {"by_id": {1: "one"}}),
    "right": lambda: send_event("room.1", event | {"all": [1, 2.5, None, True, {"text": "yes"}]}),
}
outcomes = {}
for title, call in calls.items():
    start = time.monotonic()
    try:
        call()
        outcome = "taken"
    except (TypeError, ValueError):
        outcome = "refused"
    outcomes[title] = [outcome, time.monotonic() - start]
print("DONE", json.dumps(outcomes), flush=True)
"""


@pytest.mark.parametrize("variant", each([ALONE, *VARIANTS]))
async def test_what_no_layer_would_take_is_refused_at_once(variant, installed):
    async with script(installed(variant), REFUSED) as process:
        text = await output(process, until="DONE")
        outcomes = json.loads(text.splitlines()[-1].removeprefix("DONE"))
        await output(process)
    assert {title for title, (outcome, _) in outcomes.items() if outcome == "taken"} == {"right"}
    assert max(seconds for _, seconds in outcomes.values()) < 1


LEAVING = """
import asyncio
import threading
from channels.layers import get_channel_layer

layer, event = get_channel_layer(), {"type": "news.changed"}

async def is_lost():
    leaving, staying = [await layer.new_channel() for _ in range(2)]
    await layer.group_add("news", staying)
    first = asyncio.create_task(layer.receive(leaving))
    await asyncio.sleep(0.02)  # now it is the one that listens to Redis, for all
    second = asyncio.create_task(layer.receive(staying))
    await asyncio.sleep(0.02)
    sender = threading.Thread(target=lambda: asyncio.run(layer.group_send("news", event)))
    sender.start()
    sender.join()  # the event has come from Redis, and nobody has looked at it
    first.cancel()
    done, _ = await asyncio.wait([second], timeout=2)
    second.cancel()
    await asyncio.wait([first, second])
    await layer.group_discard("news", staying)
    return not done

async def main():
    return [await is_lost() for _ in range(5)]

print("LOST", sum(asyncio.run(main())), flush=True)
"""


async def test_an_event_that_comes_while_another_group_is_left_is_not_lost(served):
    async with script(served.project, LEAVING) as process:
        assert (await output(process)).splitlines()[-1] == "LOST 0"
