import asyncio
import logging
from uuid import uuid4

from channels.layers import get_channel_layer
from django.core.cache import cache
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.views.decorators.cache import never_cache

from realtime.database import in_database
from realtime.hub import get_hub

logger = logging.getLogger("health")

TIMEOUT = 3  # seconds for each check

_migrated = []


class Unhealthy(Exception):
    """What is wrong, in words that strangers may read."""


@never_cache
async def live(request):
    """Whether this process answers at all. Restart it when not; for a missing database that is no cure."""
    return JsonResponse({"status": "alive"})


@never_cache
async def health(request):
    """Whether this process can serve: 200, or 503 with what is wrong."""
    under_asgi = isinstance(request, ASGIRequest)
    checks = {
        "database": check_database(),
        "cache": in_database(check_cache)(),
        "channels": check_hub() if under_asgi else check_layer(),
    }
    results = dict(zip(checks, await asyncio.gather(*map(outcome, checks, checks.values())), strict=True))
    healthy = all(result == "ok" for result in results.values())
    return JsonResponse(
        {
            "status": "healthy" if healthy else "unhealthy",
            "container_type": "asgi" if under_asgi else "wsgi",
            "async_enabled": under_asgi,
            "checks": results,
        },
        status=200 if healthy else 503,
    )


async def outcome(name, check):
    try:
        async with asyncio.timeout(TIMEOUT):
            await check
    except Unhealthy as problem:
        return str(problem)
    except TimeoutError:
        return f"no answer within {TIMEOUT} s"
    except Exception as error:  # whatever it is, it is the answer; details are for the log, not for strangers
        logger.warning("%s: %r", name, error)
        return type(error).__name__
    return "ok"


@in_database
def check_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if missing := missing_migrations():
        raise Unhealthy(f"{missing} migrations are not applied; run `manage.py migrate`")


def missing_migrations() -> int:
    """How many migrations the database lacks. Once it lacks none, that is not asked again."""
    if not _migrated:
        executor = MigrationExecutor(connection)
        if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return len(plan)
        _migrated.append(True)
    return 0


def check_cache():
    key = f"health:{uuid4().hex}"
    cache.set(key, "ok", 10)
    if cache.get(key) != "ok":
        raise Unhealthy("forgot what it was given")
    cache.delete(key)


async def check_hub():
    hub = get_hub()
    if hub.draining:
        raise Unhealthy("the server stops")
    await hub.probe()


async def check_layer():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "health.check"})
    await layer.receive(channel)
