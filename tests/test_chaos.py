"""While all that a project rests on fails, nothing that is stored is lost, repeated or out of order."""

import random

import pytest

from chaos import Site
from chaos_report import suffer, write_page
from serving import each
from variants import BOOTED, name

CHAOS = ("uvicorn-redis-session", "daphne-redis_queue-jwt")
PROBE = """
import asyncio
from django.http import JsonResponse


async def chaos(request):
    return JsonResponse({"tasks": [task.get_coro().__qualname__ for task in asyncio.all_tasks()]})


urlpatterns.append(path("chaos/", chaos))
"""


# The description makes them projects of their own: what other tests have stored would be held against these.
PROJECTS = [v | {"database": "postgresql", "description": "Under chaos."} for v in BOOTED if name(v) in CHAOS]


@pytest.fixture(params=each(PROJECTS))
def project(request, installed):
    """A project with an address that counts the tasks of the process that answers."""
    project = installed(request.param)
    urls = project.folder / "config/urls.py"
    before = urls.read_text(encoding="utf-8")
    urls.write_text(before + PROBE, encoding="utf-8")
    yield project
    urls.write_text(before, encoding="utf-8")


async def test_what_is_stored_reaches_everyone_once_and_in_order(
    project, valkey, postgresql, pytestconfig, record_property
):
    minutes = pytestconfig.getoption("--minutes")
    seed = pytestconfig.getoption("--seed") or random.randrange(10**6)
    print("seed", seed)
    async with Site(project, valkey, postgresql, seed) as site:
        run = await suffer(site, seed, minutes)
    title = f"{project.folder.name} under chaos, seed {seed}, {run.seconds:.0f} s"
    record_property("table", [title, "\n\n".join(run.tables())])
    if minutes:
        write_page(run, site, minutes)
    assert not run.wrong, "\n".join(run.wrong)
