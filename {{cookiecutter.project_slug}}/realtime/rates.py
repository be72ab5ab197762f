"""Rates such as `50/second;1000/minute`, and token buckets that hold somebody to them."""

import re
import time
from typing import NamedTuple

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Rate(NamedTuple):
    amount: int
    seconds: int


def parse_rates(text: str) -> list[Rate]:
    """Read rates that hold together; raise ValueError if that is none."""
    rates = []
    for part in text.split(";"):
        match = re.fullmatch(r"\s*([1-9]\d*)/(second|minute|hour|day)\s*", part)
        if match is None:
            raise ValueError(text)
        rates.append(Rate(int(match[1]), SECONDS[match[2]]))
    return rates


class Bucket:
    """What is left of an allowance: it fills up at each of the rates, up to their amounts."""

    __slots__ = ("_left", "_rates", "_since")

    def __init__(self, rates: list[Rate]):
        self._rates = rates
        self._left = [float(rate.amount) for rate in rates]
        self._since = time.monotonic()

    def take(self, amount: int = 1) -> bool:
        """Take so much out; False, and nothing is taken, when that is more than is left."""
        now = time.monotonic()
        passed, self._since = now - self._since, now
        left = [
            min(rate.amount, old + passed * rate.amount / rate.seconds)
            for rate, old in zip(self._rates, self._left, strict=True)
        ]
        allowed = min(left) >= amount
        self._left = [tokens - amount for tokens in left] if allowed else left
        return allowed
