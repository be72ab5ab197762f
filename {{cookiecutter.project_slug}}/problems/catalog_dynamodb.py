"""Where what is public of a problem is looked up: in DynamoDB, in a table that is filled from the database.

An item has the keys `PROBLEM#<slug>` and `METADATA`. A change of a problem replaces it, and so does who finds
it older than `SECONDS`: a change that the table did not hear of shows by then. Items carry the time of the
change as their version, so none replaces a newer one. What the table cannot answer in time the database does.
"""

import asyncio
import logging
import time
from datetime import datetime
from typing import Any

from asgiref.sync import async_to_sync
from django.utils import timezone

from integrations.dynamodb import Table, TableError, table
from problems.models import Problem
from problems.serializers import ProblemSerializer

logger = logging.getLogger("problems")

METADATA = "METADATA"
SECONDS = 300  # for which an item counts
TIMEOUT = 2  # seconds for an answer of the table
PAUSE = 5  # seconds for which a table that did not give one is left alone

_away_until = 0.0


async def find(slug: str) -> dict[str, Any] | None:
    """Return a problem as the API shows it; None if there is none with that slug."""
    global _away_until
    if time.monotonic() < _away_until:
        return shown(await read(slug))
    try:
        async with asyncio.timeout(TIMEOUT), table() as items:
            item = await items.get(partition(slug), METADATA)
            if item is None or is_old(item):
                problem = await read(slug)
                if item or problem:  # names that nobody has given are not stored
                    await store(items, slug, problem)
                return shown(problem)
            return None if item.get("gone") else {name: item[name] for name in shown_names()}
    except (TableError, TimeoutError) as error:
        _away_until = time.monotonic() + PAUSE
        logger.warning("problems come from the database alone for %s s: %s", PAUSE, said(error))
        return shown(await read(slug))


def refresh(slug: str) -> None:
    """Hear of a change, from sync code."""
    try:
        async_to_sync(arefresh)(slug)
    except (TableError, TimeoutError) as error:
        logger.error("%s may be old for %s s: %s", slug, SECONDS, said(error))


async def arefresh(slug: str) -> None:
    async with asyncio.timeout(TIMEOUT), table() as items:
        await store(items, slug, await read(slug))


async def store(items: Table, slug: str, problem: Problem | None) -> None:
    """Store a problem, or that there is none any more."""
    changed_at: datetime = problem.changed_at if problem else timezone.now()
    item = {
        "PK": partition(slug),
        "SK": METADATA,
        "version": int(changed_at.timestamp() * 1_000_000),
        "expires_at": int(time.time()) + SECONDS,
        "gone": problem is None,
    }
    await items.put_if_newer(item | (shown(problem) or {}))


def is_old(item: dict[str, Any]) -> bool:
    """Whether an item counts no more, or was stored when problems had other fields than now."""
    is_whole = item.get("gone") or item.keys() >= {*shown_names()}
    return item.get("expires_at", 0) <= time.time() or not is_whole


def partition(slug: str) -> str:
    return f"PROBLEM#{slug}"


async def read(slug: str) -> Problem | None:
    return await Problem.objects.filter(slug=slug).afirst()


def shown(problem: Problem | None) -> dict[str, Any] | None:
    return dict(ProblemSerializer(problem).data) if problem else None


def shown_names() -> list[str]:
    return [name for name, field in ProblemSerializer().fields.items() if not field.write_only]


def said(error: Exception) -> str:
    return str(error) or f"no answer within {TIMEOUT} s"
