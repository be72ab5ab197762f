"""Routes that can never be reached, since one before them takes every address that they stand for."""

import logging
import re
import sys
from itertools import product

from django.urls import URLPattern
from django.urls.resolvers import RegexPattern

CURE = "Give one of them an address of its own, or change their order, or that of INSTALLED_APPS."
FAILED_TO_START = 3  # with which a worker ends the server, instead of being started again

logger = logging.getLogger("realtime")

PARAMETER = re.compile(r"<[^<>]+>|\(\?P<\w+>[^()]+\)")  # in a path(), or in a re_path() without inner groups
VARIABLE = re.compile(r"[\\.*+?{}\[\]()|^$]")  # what makes the rest of a regular expression more than text
# Values of parameters, of each kind that converters take: numbers, letters, a slug, a UUID, text, a path.
VALUES = ("7405", "740512345", "qxz", "q7-_X", "0b6b4b4c-c596-4f00-8a17-402fb3261e00", "~ é", "~/~/~/~/~/~")


def reachable(routes: list[URLPattern]) -> list[URLPattern]:
    """Return the routes, or end the process with a line for each of them that can never be reached."""
    if problems := unreachable(routes):
        for problem in problems:
            logger.critical("%s %s", problem, CURE)  # sys.exit() is silent in the thread of a reloader
        sys.exit(FAILED_TO_START)
    return routes


def unreachable(routes: list[URLPattern]) -> list[str]:
    """Return a sentence about each route that can never be reached.

    What cannot be told is passed over: of a regular expression that is more than text and named groups only
    that it stands behind one that takes everything.
    """
    problems = []
    for index, route in enumerate(routes):
        before = routes[:index]
        takers = [
            next((other for other in before if takes(other, address)), None) for address in addresses(route)
        ]
        if same := [other for other in before if str(other.pattern) == str(route.pattern)]:
            takers = [*same]
        taker, *others = takers or [None]
        if taker is not None and None not in others:
            problems.append(f"Nobody reaches {name(route)}: {name(taker)} comes before it.")
    return problems


def addresses(route: URLPattern) -> list[str]:
    """Return addresses that a route takes, of every kind; when they cannot be told, any addresses."""
    pattern, text = route.pattern, str(route.pattern)
    if isinstance(pattern, RegexPattern):
        text = text.removeprefix("^").removesuffix("$")
        if not text or VARIABLE.search(PARAMETER.sub("", text)):
            return ["", *VALUES]
        text += "" if str(pattern).endswith("$") else "~"
    first, *others = PARAMETER.split(text)
    fillings = product(VALUES, repeat=len(others))
    filled = (first + "".join(map("".join, zip(values, others, strict=True))) for values in fillings)
    return [address for address in filled if takes(route, address)] or ["", *VALUES]


def takes(route: URLPattern, address: str) -> bool:
    return route.pattern.match(address) is not None


def name(route: URLPattern) -> str:
    consumer = getattr(route.callback, "consumer_class", route.callback)
    return f"the WebSocket route {str(route.pattern)!r} of {getattr(consumer, '__name__', consumer)}"
