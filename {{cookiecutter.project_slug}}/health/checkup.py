"""The health checks: the database, the cache, the channel layer and what apps add, each with a time limit.

An app says in its health.py what it can do without for a while (`checks`, coroutine functions by name): what
is wrong there is a warning, and takes no process out of service.

However many requests come, a process runs one check at a time and gives the same results for a second. What
may hang does so in a thread of its own, and blocks nobody else's queries.
"""

import asyncio
import logging
from concurrent.futures import Future
from threading import Thread
from uuid import uuid4

from channels.layers import get_channel_layer
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from config.collect import modules
from realtime.cache import cache
from realtime.hub import get_hub
from serving import limits

logger = logging.getLogger("health")

TIMEOUT = 3  # seconds for each check
FRESH_SECONDS = 1  # for which results are given to others who ask
MAX_AGE = 5  # seconds that an event may wait to be handed out
AGE_WARNING = 1  # the same, not to be unhealthy, but to be warned of
NEEDED = ("database", "cache", "channels")
LAG_WARNING = 0.1  # seconds by which one in a hundred timers of the event loop may have been late in a minute

_migrated: list[bool] = []
_latest: asyncio.Task | None = None


class Unhealthy(Exception):
    """What is wrong, worded so that anyone may read it."""


async def asgi_results() -> dict[str, str]:
    """Return "ok" or what is wrong for each check: from those running or just finished, or from new ones."""
    global _latest
    loop = asyncio.get_running_loop()
    if _latest is None or _latest.get_loop() is not loop:
        _latest = loop.create_task(check_all(check_hub))
        _latest.add_done_callback(lambda task: loop.call_later(FRESH_SECONDS, forget))
    results = await asyncio.shield(_latest)
    problem = known_problem()
    return results | {"channels": problem} if problem else results


def forget():
    global _latest
    _latest = None


async def wsgi_results() -> dict[str, str]:
    """Return "ok" or what is wrong, for each check; each request has an event loop and a check of its own."""
    return await check_all(check_layer)


async def check_all(check_channels) -> dict[str, str]:
    checks = {"database": check_database, "cache": check_cache, "channels": check_channels}
    for module in modules("health"):
        checks |= module.checks
    results = await asyncio.gather(*map(outcome, checks, checks.values()))
    return dict(zip(checks, results, strict=True))


async def outcome(name, check):
    try:
        async with asyncio.timeout(TIMEOUT):
            await check()
    except Unhealthy as problem:
        return str(problem)
    except TimeoutError:
        return f"no answer within {TIMEOUT} s"
    except Exception as error:  # whatever it is, it is the answer; details are for the log, not for strangers
        logger.warning("%s: %r", name, error)
        return type(error).__name__
    return "ok"


class InOwnThread:
    """Make a check that may hang awaitable. A new thread starts only when the last one has ended."""

    def __init__(self, check):
        self.check = check
        self.running: Future | None = None

    async def __call__(self):
        if self.running is None or self.running.done():
            self.running = Future()
            self.running.set_running_or_notify_cancel()  # now no time limit can cancel it
            Thread(target=self.run, args=(self.running,), name="health", daemon=True).start()
        await asyncio.wrap_future(self.running)

    def run(self, running):
        try:
            try:
                self.check()
            finally:
                connections.close_all()
        except BaseException as error:
            running.set_exception(error)
        else:
            running.set_result(None)


@InOwnThread
def check_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if missing := missing_migrations():
        raise Unhealthy(f"{missing} migrations are not applied; run `manage.py migrate`")


def missing_migrations() -> int:
    """How many migrations the database lacks. Once it lacks none, nobody asks again."""
    if not _migrated:
        executor = MigrationExecutor(connection)
        if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return len(plan)
        _migrated.append(True)
    return 0


@InOwnThread
def check_cache():
    key = f"health:{uuid4().hex}"
    cache.set(key, "ok", 10)
    if cache.get(key) != "ok":
        raise Unhealthy("forgot what it was given")
    cache.delete(key)


async def check_hub():
    if problem := known_problem():
        raise Unhealthy(problem)
    if not limits.recycling:
        await get_hub().probe()


def known_problem() -> str:
    """Return what the hub knows to be wrong without asking the channel layer."""
    hub = get_hub()
    if hub.draining and not limits.recycling:
        return "the server stops"
    if hub.away:
        return "the channel layer is away"
    if (age := hub.age()) > MAX_AGE:
        return f"events wait for {age:.0f} s"
    return ""


def degraded(results: dict[str, str]) -> list[str]:
    """Return what is wrong with that which this process can do without."""
    return [f"{name}: {result}" for name, result in results.items() if name not in NEEDED and result != "ok"]


def warnings() -> list[str]:
    """Return what is not well yet, but does not keep this process from serving."""
    hub, found = get_hub(), []
    late, latest = hub.lag.recent()
    if late > LAG_WARNING:
        found.append(f"the event loop lags by {late:.1f} s, at most {latest:.1f} s; see the log")
    if (age := hub.age()) > AGE_WARNING:
        found.append(f"events wait for {age:.1f} s")
    return found


async def check_layer():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "health.check"})
    await layer.receive(channel)
