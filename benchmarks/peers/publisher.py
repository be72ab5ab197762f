"""Publish events from sync code in a generated project, as a task or a command does; argv: METHOD COUNT."""

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from asgiref.sync import async_to_sync  # noqa: E402 (these need Django to be set up)
from channels.layers import get_channel_layer  # noqa: E402
from realtime import publish  # noqa: E402


def group_send(group, frame):
    async_to_sync(get_channel_layer().group_send)(group, {"type": "bench.event", "frame": frame})


METHODS = {"publish": publish.publish, "async_to_sync": group_send}
send = METHODS[sys.argv[1]]
send("warm-up", {})
publish.flush()
print("ready", flush=True)
sys.stdin.read()
for seq in range(int(sys.argv[2])):
    send("bench", {"type": "bench", "seq": seq, "pad": "x" * 160})
publish.flush()
