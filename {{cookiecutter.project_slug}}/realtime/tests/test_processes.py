"""Processes that know of each other, and of each other's sockets."""

import asyncio

import pytest

from realtime import drain, processes
from realtime.events import EVERYWHERE, GONE, HERE
from realtime.hub import get_hub

OTHER = {"id": "realtime.process.0", "host": "other", "pid": 7, "since": 1}


async def look(search="", sort="since", descending=True):
    answers = await get_hub().processes.look(search, sort, descending)
    return answers[get_hub().watch.group]


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not so within 5 s")


async def test_a_process_tells_of_itself_and_its_sockets(connect, student):
    one = await connect("/ws/sample/?since=3", student, address="192.0.2.7")
    await connect("/ws/guests/")
    await one.request("say", text="x")
    answer = await look()
    assert answer["figures"]["sockets"] == answer["matching"] == 2
    assert not answer["figures"]["draining"]
    guest, own = answer["sockets"]
    assert (guest["user"], guest["user_id"], guest["consumer"]) == ("", None, "GuestConsumer")
    assert (own["user"], own["path"], own["address"]) == ("student", "/ws/sample/", "192.0.2.7")
    assert (own["received"], own["sent"], own["backlog"]) == (1, 3, 0)


@pytest.mark.parametrize("search", ["STUD", "samplecons", "/ws/sa", "192.0.2."])
async def test_sockets_are_found_by_user_consumer_path_and_address(connect, student, search):
    await connect("/ws/sample/", student, address="192.0.2.7")
    await connect("/ws/guests/")
    assert [found["user"] for found in (await look(search))["sockets"]] == ["student"]


async def test_what_is_shown_is_the_first_of_all_that_match(connect, student, mentor, monkeypatch):
    monkeypatch.setattr(processes, "MAX_SOCKETS", 2)
    for user in (mentor, student, mentor):
        await connect("/ws/sample/", user)
    answer = await look(sort="user", descending=False)
    assert (answer["matching"], len(answer["sockets"])) == (3, 2)
    answer = await look(search="student", sort="user", descending=False)
    assert [found["user"] for found in answer["sockets"]] == ["student"]


async def test_one_socket_is_ended_or_all_of_a_user(connect, student, mentor):
    tabs = [await connect("/ws/sample/", user) for user in (student, student, student, mentor)]
    here = get_hub().processes
    ((id, answer),) = (await here.look("student", "since", True)).items()
    newest = answer["sockets"][0]
    assert await here.end_socket(id, newest["id"]) == {id: {"ended": [newest]}}
    assert await tabs[2].close_code() == 4410
    assert await here.end_socket("realtime.process.nowhere", newest["id"]) == {}
    assert len((await here.end_user(student.pk))[id]["ended"]) == 2
    assert [await tab.close_code() for tab in tabs[:2]] == [4410, 4410]
    await tabs[3].request("ping")


async def test_processes_are_known_until_they_say_goodbye_or_are_not_heard(connect, student, monkeypatch):
    monkeypatch.setattr(processes, "ANSWER_SECONDS", 0.1)
    await connect("/ws/sample/", student)
    hub = get_hub()

    async def known(type):
        await hub.layer.group_send(EVERYWHERE, {"type": type, "from": OTHER})
        answers = await hub.processes.look("", "since", True)  # which comes after it
        return OTHER["id"] in hub.processes.known, OTHER["id"] in answers

    assert await known(HERE) == (True, False)
    with pytest.raises(ConnectionError, match="Its process does not answer"):
        await hub.processes.end_socket(OTHER["id"], "0")
    assert await known(GONE) == (False, False)
    assert await known(HERE) == (True, False)
    monkeypatch.setattr(processes, "FORGET_SECONDS", 0)
    hub.processes._forget()
    assert hub.processes.known == {}


async def test_a_process_says_that_it_is_here_until_it_has_drained(connect, student, monkeypatch):
    monkeypatch.setattr(processes, "HERE_SECONDS", 0.01)
    await connect("/ws/sample/", student)
    hub = get_hub()
    await until(lambda: hub.processes.known)
    hub.drain()
    assert (await look())["figures"]["draining"]
    await drain.drain(0.1)
    await until(lambda: not hub.processes.known)
    await asyncio.sleep(0.05)
    assert hub.processes.known == {}


async def test_a_layer_that_is_away_is_an_error_at_once(connect, student):
    await connect("/ws/sample/", student)
    get_hub().watch.away = True
    with pytest.raises(ConnectionError):
        await look()
