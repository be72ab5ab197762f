import asyncio
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from health import checkup
from integrations import dynamodb as module
from integrations import health
from integrations.dynamodb import TableError, table
from realtime.hub import get_hub

HEALTH = "/api/health/"


def item(sk, **values):
    return {"PK": "list", "SK": sk, **values}


async def test_what_is_put_comes_back(items_table):
    kept = item(
        "all",
        text="Grüße",
        empty="",
        whole=2**70,
        decimal=Decimal("0.1"),
        yes=True,
        nothing=None,
        bytes=b"\x00\xff",
        nested={"list": [1, Decimal("-2.5"), {"a": []}]},
    )
    async with table() as items:
        await items.put(kept)
        assert await items.get("list", "all") == kept
        await items.put(item("all"))
        assert await items.get("list", "all") == item("all")
        await items.delete("list", "all")
        assert await items.get("list", "all") is None


async def test_a_float_is_refused_before_it_is_rounded(items_table):
    async with table() as items:
        with pytest.raises(TypeError, match=r"no float: 0\.1; a Decimal is exact"):
            await items.put(item("float", number=0.1))


async def test_the_first_one_wins(items_table):
    async with table() as items:
        won = await asyncio.gather(*(items.put_if_absent(item("x", by=number)) for number in range(5)))
        assert sorted(won) == [False] * 4 + [True]
        assert await items.get("list", "x") == item("x", by=won.index(True))


async def test_an_older_version_replaces_none(items_table):
    async with table() as items:
        stored = [await items.put_if_newer(item("x", version=version)) for version in (2, 1, 2, 3)]
        assert stored == [True, False, True, True]


async def test_update(items_table):
    async with table() as items:
        assert await items.update("list", "x", name="nobody") is None
        await items.put(item("x", name="first", size=1))
        changed = item("x", name="second", size=1, values=[1])  # "name" and "values" are words of its own
        assert await items.update("list", "x", name="second", values=[1]) == changed
        assert await items.get("list", "x") == changed


async def test_pages_of_a_partition(items_table):
    async with table() as items:
        for number in range(7):
            await items.put(item(f"row#{number}"))
        await items.put(item("other"))
        await items.put({"PK": "another list", "SK": "row#9"})
        found = [found["SK"] async for found in items.query("list", "row#", page=3)]
        assert found == [f"row#{number}" for number in range(7)]
        assert len([found async for found in items.query("list", page=3)]) == 8


async def test_a_loop_that_serves_has_one_client(items_table):
    get_hub()  # as a server has
    async with table() as one, table() as two:
        assert one.client is two.client
    async with table() as three:
        assert three.client is one.client


async def test_a_loop_that_does_not_closes_its_client(items_table):
    async with table() as items:
        await items.put(item("x"))
        session = items.client._endpoint.http_session
        [connector] = [own.connector for own in session._sessions.values()]
    assert connector.closed


async def test_without_a_table():
    with pytest.raises(TableError, match=r"there is no table .+; run `manage.py createtable`"):
        async with table() as items:
            await items.get("a", "b")


async def test_without_keys(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(TableError, match="there are no keys for AWS; set AWS_ACCESS_KEY_ID"):
        async with table() as items:
            await items.get("a", "b")


def test_createtable(items_table, capsys):
    call_command("createtable")
    assert "is there already" in capsys.readouterr().out


def test_createtable_says_what_is_wrong(monkeypatch):
    answer = TableError("the table x at y does not answer: EndpointConnectionError")
    monkeypatch.setattr(module.Table, "create", raises(answer))
    with pytest.raises(CommandError, match="does not answer"):
        call_command("createtable")


def raises(error):
    async def create(self):
        raise error

    return create


@pytest.fixture
def anew(monkeypatch):
    monkeypatch.setattr(health, "_until", 0.0)
    checkup.forget()


async def test_health_tells_of_it_and_stays_well(async_client, transactional_db, anew):
    response = await async_client.get(HEALTH)
    line = "the table is not there; run `manage.py createtable`"
    assert (response.status_code, response.json()["status"]) == (200, "healthy")
    assert response.json()["checks"]["dynamodb"] == line
    assert f"dynamodb: {line}" in response.json()["warnings"]


async def test_health_is_content(async_client, transactional_db, items_table, anew):
    response = await async_client.get(HEALTH)
    assert response.json()["checks"]["dynamodb"] == "ok"
