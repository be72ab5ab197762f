"""The list of problems, a page of it at a time, from the cache.

The pages of one state of the table have a name in common, which each change of a problem replaces. Who read
before a change, and stores after it, does so under the old name; so nobody gets what was changed, unless the
cache did not hear of it. That lasts `SECONDS` at most.
"""

import logging
from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

from rest_framework.pagination import PageNumberPagination

from problems.models import Problem
from problems.serializers import ProblemSerializer
from realtime.cache import cache

logger = logging.getLogger("problems")

SECONDS = 60
STATE = "problems:state"


class ProblemPages(PageNumberPagination):
    last_page_strings = ()


class Page:
    """What a paginator asks of a list: how long it is, and for one part."""

    def __init__(self, count: int, rows: list[dict]):
        self.rows, self.all = rows, count

    def count(self):
        return self.all

    def __getitem__(self, part):
        return self.rows


async def page(text: str) -> Page:
    """Return what the page with that number shows; one that there is not has no rows."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        return Page(0, [])
    state = await tried(cache.aget(STATE, ""))
    key = f"{STATE}:{state}:{number}"
    found = None if state is None else await tried(cache.aget(key))
    if found is None:
        found = await read(number)
        if found[1] and state is not None:  # so there are no more keys than pages
            await tried(cache.aset(key, found, SECONDS))
    return Page(*found)


async def tried(answer: Awaitable[Any]) -> Any:
    """Await an answer of the cache; None if it is away."""
    try:
        return await answer
    except Exception as error:  # each cache has its own
        logger.warning("the cache does not answer: %r", error)
        return None


async def read(number: int) -> tuple[int, list[dict]]:
    size = ProblemPages.page_size
    start = (number - 1) * size
    problems = Problem.objects.all()
    count = await problems.acount()
    shown = problems[start : start + size] if start < count else problems.none()
    return count, [dict(ProblemSerializer(problem).data) async for problem in shown]


def forget() -> None:
    """Have all pages read anew, after a change."""
    try:
        cache.set(STATE, uuid4().hex, None)
    except Exception as error:
        logger.error("the list of problems may be old for %s s: %r", SECONDS, error)
