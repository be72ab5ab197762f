"""Add to random scores in a generated project, as a task does, so many a second; argv: RATE SECONDS.

Prints "ready", and after a line of input the seconds that each took, and for how long it took them in all.
"""

import json
import os
import random
import sys
import time

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from leaderboard.models import Score  # noqa: E402 (these need Django to be set up)
from leaderboard.scores import add_score  # noqa: E402
from realtime import publish  # noqa: E402

rate, seconds = float(sys.argv[1]), float(sys.argv[2])
members = list(Score.objects.order_by("-points").values_list("user_id", flat=True))
top = members[:100]
add_score(members[0], 0)
print("ready", flush=True)
sys.stdin.readline()
took, begin = [], time.perf_counter()
while (now := time.perf_counter()) < begin + seconds:
    due = begin + len(took) / rate
    if now < due:
        time.sleep(due - now)
        now = time.perf_counter()
    add_score(random.choice(members if len(took) % 2 else top), random.randrange(1, 100))
    took.append(time.perf_counter() - now)
wall = time.perf_counter() - begin
publish.flush()
print(json.dumps({"took": took, "wall": wall}), flush=True)
