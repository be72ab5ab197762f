import asyncio
import inspect
import re
import threading
import time
from logging import LogRecord

import pytest

from realtime import lag
from realtime.hub import get_hub
from realtime.stats import Histogram, stats
from realtime.tests.sample import SampleConsumer


async def test_the_line_that_blocks_is_named_once(connect, student, caplog):
    socket = await connect("/ws/sample/", student)
    await asyncio.sleep(lag.SAMPLE_SECONDS * 2)
    for _ in range(2):
        await socket.request("block")
    (said,) = (text for text in map(LogRecord.getMessage, caplog.records) if "sample.py" in text)
    number = inspect.getsourcelines(SampleConsumer.block)[1] + 1
    assert f"s by realtime/tests/sample.py:{number} in block(), which is at " in said
    assert "threading.py:" in said


async def test_code_that_lets_no_other_thread_run(caplog):
    get_hub()
    await asyncio.sleep(lag.SAMPLE_SECONDS * 2)
    for _ in range(5):  # another thread that waits, too, may run before the watchdog, which then is too late
        assert not re.match("(a+)+b", "a" * 24)  # which tries for a while
        await asyncio.sleep(lag.SAMPLE_SECONDS)
        if "realtime/tests/test_lag.py" in caplog.text:
            return
    pytest.fail("the watchdog has named no line")


async def test_many_callbacks_are_nobody_s_fault(caplog):
    get_hub()
    await asyncio.sleep(lag.SAMPLE_SECONDS * 2)
    for _ in range(100):
        asyncio.get_running_loop().call_soon(time.sleep, 0.005)
    await asyncio.sleep(0)
    assert "held up" not in caplog.text


async def test_lag_is_measured():
    sampler, before = get_hub().lag, sum(stats.lag.counts[-4:])
    await asyncio.sleep(lag.SAMPLE_SECONDS * 2)
    threading.Event().wait(lag.SAMPLE_SECONDS + 0.3)
    await asyncio.sleep(lag.SAMPLE_SECONDS * 2)
    assert sum(stats.lag.counts[-4:]) > before  # those above 0.25 s
    assert 0.29 < sampler.recent()[1] < 5


def test_a_histogram():
    times = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7):
        times.observe(value)
    assert (times.counts, times.sum) == ([2, 1, 1], 7.65)
