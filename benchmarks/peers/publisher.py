"""Publish events in a generated project, as a task, a command or a server does; argv: METHOD COUNT.

It waits for the end of its input before it begins, and prints the seconds of CPU that it took.
"""

import asyncio
import json
import os
import sys
import time

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

import redis  # noqa: E402 (these need Django to be set up)
import redis.asyncio  # noqa: E402
import uvloop  # noqa: E402
from asgiref.sync import async_to_sync  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402
from django.conf import settings  # noqa: E402
from realtime.hub import get_hub  # noqa: E402
from realtime.publish import apublish, flush, publish  # noqa: E402

AT_A_TIME = 100
PLAIN = "plain__group__bench"  # as the layer names a group's channel


def frame(seq):
    return {"type": "bench", "seq": seq, "pad": "x" * 160}


def wait():
    print("ready", flush=True)
    sys.stdin.read()


def from_sync_code(send, count):
    send("warm-up", {})
    flush()
    wait()
    cpu = time.process_time()
    for seq in range(count):
        send("bench", frame(seq))
    flush()
    return time.process_time() - cpu


async def from_async_code(send, count, at_a_time):
    await get_hub().start()  # as in a process that serves sockets
    await send("warm-up", {})
    await asyncio.to_thread(wait)
    cpu = time.process_time()
    for seq in range(0, count, at_a_time):
        if at_a_time == 1:
            await send("bench", frame(seq))
        else:
            await asyncio.gather(*(send("bench", frame(seq + n)) for n in range(at_a_time)))
    return time.process_time() - cpu


def group_send(group, frame):
    async_to_sync(get_channel_layer().group_send)(group, {"type": "bench.event", "frame": frame})


def main(method, count):
    if method == "publish":
        return from_sync_code(publish, count)
    if method == "async_to_sync":
        return from_sync_code(group_send, count)
    if method == "plain":
        client = redis.Redis.from_url(settings.REDIS_URL)
        return from_sync_code(lambda group, frame: client.publish(PLAIN, json.dumps(frame)), count)
    if method.startswith("apublish"):
        send = apublish
    else:
        aclient = redis.asyncio.Redis.from_url(settings.REDIS_URL)

        async def send(group, frame):
            await aclient.publish(PLAIN, json.dumps(frame))

    return uvloop.run(from_async_code(send, count, AT_A_TIME if method.endswith("many") else 1))


print(main(sys.argv[1], int(sys.argv[2])), flush=True)
os._exit(0)  # without the clean-up that a server's loop does
