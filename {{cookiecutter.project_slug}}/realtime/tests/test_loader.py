"""What many ask for at once is read together."""

import asyncio
from threading import Event

import pytest
from django.conf import settings
from django.db import OperationalError

from realtime.credentials import read_each
from realtime.loader import BATCH, Loader


class Batches:
    """Reads numbers as text, and knows which ones it was asked for together; `go` lets it."""

    def __init__(self):
        self.asked, self.begun, self.go = [], Event(), Event()
        self.go.set()

    def __call__(self, numbers):
        self.asked.append(numbers)
        self.begun.set()
        assert self.go.wait(5)
        return list(map(str, numbers))


async def test_who_comes_together_is_read_together():
    read = Batches()
    load = Loader(read).load
    assert await load(0) == "0"
    numbers = range(1, BATCH + 21)
    assert await asyncio.gather(*map(load, numbers)) == list(map(str, numbers))
    assert list(map(len, read.asked)) == [1, BATCH, 20]


async def test_while_some_are_read_the_next_gather_and_may_leave():
    read = Batches()
    read.go.clear()
    loader = Loader(read)
    first, gone, second, third = (asyncio.create_task(loader.load(number)) for number in range(4))
    assert await asyncio.to_thread(read.begun.wait, 5)
    gone.cancel()  # which ends no batch
    late = [asyncio.create_task(loader.load(number)) for number in (4, 5, 6)]
    await asyncio.sleep(0)
    late.pop(0).cancel()
    read.go.set()
    assert await asyncio.gather(first, second, third, *late) == ["0", "2", "3", "5", "6"]
    assert read.asked == [[0, 1, 2, 3], [5, 6]]
    assert gone.cancelled()


async def test_an_error_is_everybodys_and_then_over():
    errors = [OperationalError("away")]

    def read(numbers):
        if errors:
            raise errors.pop()
        return numbers

    load = Loader(read).load
    answers = await asyncio.gather(*map(load, range(3)), return_exceptions=True)
    assert list(map(type, answers)) == [OperationalError] * 3
    assert await load(3) == 3


async def test_a_batch_that_hangs_does_not_hold_up_the_next_for_ever(monkeypatch):
    monkeypatch.setattr("realtime.loader.SECONDS", 0.1)
    read = Batches()
    read.go.clear()
    load = Loader(read).load
    first = asyncio.create_task(load(1))
    assert await asyncio.to_thread(read.begun.wait, 5)
    second = asyncio.create_task(load(2))
    with pytest.raises(TimeoutError):
        await first
    read.go.set()
    assert await second == "2"


async def test_not_more_wait_than_there_may_be_sockets(monkeypatch):
    monkeypatch.setitem(settings.REALTIME, "MAX_SOCKETS", 2)
    load = Loader(Batches()).load
    answers = await asyncio.gather(*map(load, range(3)), return_exceptions=True)
    assert answers[:2] == ["0", "1"]
    assert isinstance(answers[2], ConnectionError)


class Plain:
    """An authenticator that reads one at a time."""

    def read(self, proof):
        if proof == "bad":
            raise ValueError("no proof at all")
        return proof.upper()


class Many(Plain):
    def read_many(self, proofs):
        return list(map(self.read, proofs))


class Away(Many):
    def read(self, proof):
        raise OperationalError("away")


@pytest.mark.parametrize("kind", [Plain(), Many()])
def test_a_bad_proof_is_nobody_elses_trouble(kind):
    first, bad, last = read_each(kind, ["one", "bad", "two"])
    assert (first, last) == ("ONE", "TWO")
    assert isinstance(bad, ValueError)
    with pytest.raises(OperationalError):
        read_each(Away(), ["one", "two"])
