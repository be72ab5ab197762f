"""Routes that can never be reached, since one before them takes every address that they stand for."""

import logging
import re
import sys
from itertools import product
from math import prod

from django.urls import URLPattern
from django.urls.resolvers import RegexPattern, RoutePattern

from realtime.routes import Route, flatten

CURE = "Give one of them an address of its own, or change their order, or that of INSTALLED_APPS."
FAILED_TO_START = 3  # with which a worker ends the server, instead of being started again

logger = logging.getLogger("realtime")

PARAMETER = re.compile(r"(<[^<>]+>)|\(\?P<\w+>([^()]+)\)")  # in a path(), or a re_path() without inner groups
VARIABLE = re.compile(r"[\\.*+?{}\[\]()|^$]")  # what makes the rest of a regular expression more than text
# Values of parameters, of each kind that converters take: numbers, letters, a slug, a UUID, text, a path.
VALUES = ("7405", "740512345", "qxz", "q7-_X", "0b6b4b4c-c596-4f00-8a17-402fb3261e00", "~ é", "~/~/~/~/~/~")
MOST = 2000  # addresses to try for a route


def reachable(routes: list[URLPattern]) -> list[URLPattern]:
    """Return the routes, or end the process with a line for each of them that can never be reached."""
    if problems := unreachable(routes):
        for problem in problems:
            logger.critical("%s %s", problem, CURE)  # sys.exit() is silent in the thread of a reloader
        sys.exit(FAILED_TO_START)
    return routes


def unreachable(routes: list[URLPattern]) -> list[str]:
    """Return a sentence about each route that can never be reached.

    What cannot be told is passed over: of a regular expression that is more than text and named groups, and
    of a route with very many parameters, only that it stands behind one that takes everything.
    """
    problems, before = [], list[Route]()
    for route in flatten(routes):
        takers: list[Route | None] = [other for other in before if str(other) == str(route)]
        takers = takers or [
            next((other for other in before if other.takes(address)), None) for address in addresses(route)
        ]
        if (taker := takers[0]) and all(takers):
            problems.append(f"Nobody reaches {name(route)}: {name(taker)} comes before it.")
        before.append(route)
    return problems


def addresses(route: Route) -> list[str]:
    """Return addresses that a route takes, of every kind; when they cannot be told, any addresses."""
    parts = [parts_of(pattern) for pattern in route.patterns]
    last = route.patterns[-1]
    if str(route) and all(parts):
        choices = [choice for part in parts for choice in part or ()]
        if isinstance(last, RegexPattern) and not str(last).endswith("$"):
            choices.append(["~"])  # it takes whatever follows
        if prod(map(len, choices)) <= MOST:
            filled = map("".join, product(*choices))
            if taken := [address for address in filled if route.takes(address)]:
                return taken
    return ["", *VALUES]


def parts_of(pattern: RoutePattern | RegexPattern) -> list[list[str]] | None:
    """Return what may stand in each part of an address: text, or values of a parameter; None: who knows."""
    text = str(pattern)
    if isinstance(pattern, RegexPattern):
        text = text.removeprefix("^").removesuffix("$")
        if VARIABLE.search(PARAMETER.sub("", text)):
            return None
    parts, end = list[list[str]](), 0
    for parameter in PARAMETER.finditer(text):
        parts += [text[end : parameter.start()]], values(pattern, *parameter.groups(""))
        end = parameter.end()
    return [*parts, [text[end:]]]


def values(pattern, converted: str, regex: str) -> list[str]:
    """Return those of the `VALUES` that a parameter takes."""
    if converted:
        regex = pattern.converters[converted.strip("<>").rpartition(":")[2]].regex
    return [value for value in VALUES if re.fullmatch(regex, value)]


def name(route: Route) -> str:
    return f"the WebSocket route {str(route)!r} of {route.name}"
