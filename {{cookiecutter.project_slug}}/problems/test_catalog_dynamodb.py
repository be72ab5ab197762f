"""Problems in the table follow the database, whatever was lost on the way."""

import time

import pytest

from integrations.dynamodb import table
from problems import catalog
from problems.models import Problem
from realtime.hub import get_hub

KEYS = ("PROBLEM#two-sums", "METADATA")


@pytest.fixture(autouse=True)
async def anew(monkeypatch):
    monkeypatch.setattr(catalog, "_away_until", 0.0)
    get_hub()  # as where requests are served, so there is one client


@pytest.fixture
def problem(items_table, transactional_db):
    return Problem.objects.create(slug="two-sums", title="Two Sums", tests=[{"input": "1", "output": "2"}])


async def stored():
    async with table() as items:
        return await items.get(*KEYS)


async def change(**values):
    """Change what is stored, as nobody else would."""
    async with table() as items:
        await items.update(*KEYS, **values)


async def title():
    found = await catalog.find("two-sums")
    return found and found["title"]


async def test_a_change_reaches_the_table_at_once(problem):
    assert (await stored())["title"] == "Two Sums"
    assert "tests" not in await stored()
    problem.title = "Sums"
    await problem.asave()
    assert (await stored())["title"] == "Sums"
    await problem.adelete()
    assert (await stored())["gone"]
    assert await title() is None
    await Problem.objects.acreate(slug="two-sums", title="Again")
    assert await title() == "Again"


async def test_it_is_looked_up_in_the_table(problem):
    await change(title="Of the table")
    assert await title() == "Of the table"


async def test_what_is_old_is_read_anew(problem):
    await change(title="Old", expires_at=int(time.time()) - 1)
    assert await title() == "Two Sums"
    assert (await stored())["title"] == "Two Sums"


async def test_what_an_older_version_of_the_project_stored_is_read_anew(problem):
    item = await stored()
    del item["title"], item["expires_at"]
    async with table() as items:
        await items.put(item)
    assert await title() == "Two Sums"
    assert (await stored())["title"] == "Two Sums"


async def test_what_is_missing_is_put_there(problem):
    async with table() as items:
        await items.delete(*KEYS)
    assert await title() == "Two Sums"
    assert (await stored())["title"] == "Two Sums"
    assert await catalog.find("unknown") is None


async def test_a_late_reader_replaces_nothing(problem):
    old = await Problem.objects.aget()
    problem.title = "New"
    await problem.asave()
    async with table() as items:
        await catalog.store(items, "two-sums", old)
    assert await title() == "New"


async def test_without_the_table_the_database_answers(student, caplog):
    await Problem.objects.acreate(slug="two-sums", title="Two Sums")
    assert "may be old for 300 s: there is no table" in caplog.text
    assert await title() == "Two Sums"
    assert "come from the database alone for 5 s: there is no table" in caplog.text
    caplog.clear()
    assert await title() == "Two Sums"
    assert not caplog.text  # nobody asks the table again at once


async def test_a_table_that_hangs_is_not_waited_for(problem, monkeypatch):
    monkeypatch.setattr(catalog, "TIMEOUT", 0)
    assert await title() == "Two Sums"
    problem.title = "Sums"
    await problem.asave()
    assert await title() == "Sums"
