"""Closed sockets: their memory is free at once, and does not wait for Python's garbage collector."""

import json
from contextlib import AsyncExitStack

import pytest

from client import Person
from conversation import NOTIFICATIONS
from polling import until
from serving import each, running
from variants import BOOTED

VARIANTS = [v for v in BOOTED if (v["channel_layer"], v["auth"]) == ("memory", "session")]
ON_UVICORN = ("uvicorn", "gunicorn")
SOCKETS = 20

# In each of the server's processes: no garbage collector, and a file that says how many objects of each class
# are alive.
OBSERVER = """
import collections, gc, json, os, pathlib, threading, time

def observe():
    gc.disable()
    file = pathlib.Path(__file__).with_name(f"{os.getpid()}.json")
    while True:
        time.sleep(0.5)
        alive = collections.Counter(type(it).__name__ for it in gc.get_objects())
        file.with_suffix(".draft").write_text(json.dumps(alive))
        file.with_suffix(".draft").rename(file)

def start():
    threading.Thread(target=observe, daemon=True).start()

start()
os.register_at_fork(after_in_child=start)
"""


@pytest.mark.parametrize("variant", each(VARIANTS))
async def test_nothing_of_a_closed_socket_waits_for_the_garbage_collector(variant, installed, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(OBSERVER)

    def alive(name):
        return sum(json.loads(file.read_text()).get(name, 0) for file in tmp_path.glob("*.json"))

    with running(installed(variant), PYTHONPATH=str(tmp_path)) as server:
        student = Person(server.url, "student", "session")
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(student.open(NOTIFICATIONS)) for _ in range(SOCKETS)]
            await until(lambda: alive("NotificationConsumer") == SOCKETS, within=20)
            for socket in sockets[::2]:
                socket.socket.transport.abort()
        student.close()
        await until(lambda: alive("NotificationConsumer") == 0, within=20)
        if variant["server"] in ON_UVICORN:
            await until(lambda: alive("SharedFrames") == alive("Http") == 0, within=20)
