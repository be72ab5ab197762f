"""How many users a load test needs, by what the site allows each of them."""

from argparse import Namespace
from math import ceil
from typing import Any

from loadtest.problems import Problem

SHARE = 0.8  # of what a user may do, so that one who comes back is not refused
USUAL = 10


def users_for(options: Namespace, facts: dict[str, Any]) -> int:
    """Return how many shall log in. Raises Problem if the site has too few, or allows too little."""
    sockets, there = options.sockets, facts["users"]
    frames = options.rate + sockets / facts["heartbeat"]  # a second
    per_socket, per_user = slowest(facts["rate"]), slowest(facts["user_rate"])
    if frames / sockets > per_socket:
        raise Problem(
            f"--rate: each socket would send {frames / sockets:.3g} frames a second, and may send"
            f" {per_socket:.3g} (WS_RATE at the site). Give more sockets or a lower rate."
        )
    by_sockets = ceil(sockets / max(facts["sockets_per_user"] * SHARE, 1))
    by_frames = ceil(frames / (per_user * SHARE))
    needed = max(by_sockets, by_frames)
    chosen = options.users or max(needed, min(USUAL, there, sockets))
    limit = "WS_MAX_SOCKETS_PER_USER" if by_sockets >= by_frames else "WS_USER_RATE"
    if chosen < needed:
        raise Problem(f"--users: this takes {needed} users or more, because of {limit} at the site.")
    if chosen > there:
        why = f", because of {limit} there" if chosen == needed else ""
        raise Problem(
            f"The site has {there} users for load tests, and this takes {chosen}{why}. Run"
            f" `manage.py loadtest_users {chosen}` at the site."
        )
    return min(chosen, sockets)


def slowest(rates: list[list[int]]) -> float:
    """Return how many a second are allowed in the long run."""
    return min(amount / seconds for amount, seconds in rates)
