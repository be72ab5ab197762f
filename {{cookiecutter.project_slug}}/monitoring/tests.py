import os
import time

import pytest
from asgiref.sync import sync_to_async

from monitoring import sharing
from monitoring.figures import histogram, labelled
from monitoring.http import OTHER, requests
from monitoring.sharing import Place
from monitoring.views import as_text
from realtime.stats import Histogram

TOKEN = "a-token-for-these-tests"
PROOF = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def token(settings, monkeypatch):
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(sharing, "_place", None)


def value(response, series):
    """Return the value of a series, such as `name{label="x"}`; None if it is not there."""
    assert response.status_code == 200, response.content
    lines = response.content.decode().splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == series), None)


@pytest.fixture(params=["asgi", "wsgi"])
def get(request, async_client, client):
    """Return a function that asks the project, under ASGI or under WSGI."""
    return async_client.get if request.param == "asgi" else sync_to_async(client.get)


# Who gets them


@pytest.mark.parametrize(
    "proof", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"]
)
async def test_refused_without_the_token(get, proof):
    response = await get("/metrics", headers={"authorization": proof} if proof else {})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert response.content.count(b"\n") == 1
    assert TOKEN not in response.content.decode()


async def test_none_where_no_token_is_set(get, settings):
    settings.METRICS_TOKEN = ""
    response = await get("/metrics", headers={"authorization": "Bearer "})
    assert (response.status_code, b"METRICS_TOKEN" in response.content) == (404, True)


async def test_whoever_has_it_is_answered(get, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["example.com"], True
    response = await get("/metrics", headers={**PROOF, "host": "10.1.2.3"})
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert value(response, "realtime_processes") == 1


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_it_is_only_read(async_client, method):
    assert (await async_client.generic(method, "/metrics", headers=PROOF)).status_code == 405


# What is counted


async def test_consumers_are_there_before_their_first_socket(async_client):
    response = await async_client.get("/metrics", headers=PROOF)
    for name in ("connections", "connections_opened_total"):
        assert value(response, f"realtime_{name}" + '{consumer="ChannelsConsumer"}') is not None


async def test_sockets(async_client, connect, student):
    socket = await connect("/ws/sample/", student)
    series = 'realtime_connections{consumer="SampleConsumer"}'
    open_now = value(await async_client.get("/metrics", headers=PROOF), series)
    await socket.disconnect(4999)  # a code of its own
    response = await async_client.get("/metrics", headers=PROOF)
    assert value(response, series) == open_now - 1
    closed = 'realtime_connections_closed_total{consumer="SampleConsumer",code="other"}'
    assert value(response, closed) >= 1
    assert value(response, "realtime_frames_sent_total") >= 1


async def test_requests(get, transactional_db):
    asked = [("GET", "admin:login", 200), ("GET", OTHER, 404)]
    before = [requests.total[key] for key in asked]
    for path in ("/admin/login/", "/nowhere.html", "/nowhere/else.html"):
        await get(path)
    assert [requests.total[key] for key in asked] == [before[0] + 1, before[1] + 2]
    assert requests.in_progress == 0
    response = await get("/metrics", headers=PROOF)
    assert value(response, 'http_request_duration_seconds_count{view="admin:login"}') >= 1
    assert value(response, 'http_requests_total{method="GET",view="admin:login",status="200"}') >= 1


async def test_a_method_that_does_not_exist(async_client):
    before = requests.total[OTHER, OTHER, 404]
    await async_client.generic("BREW", "/nowhere.html")
    assert requests.total[OTHER, OTHER, 404] == before + 1


def test_text():
    times = Histogram((0.5, 1.0))
    times.observe(0.75)
    found = {
        "realtime_errors_total": labelled(("code",), {'a "name"\n\\': 2}),
        "event_loop_lag_seconds": histogram(times),
    }
    assert as_text(found).splitlines() == [
        "# HELP realtime_errors_total Frames that were answered with an error, by its code.",
        "# TYPE realtime_errors_total counter",
        r'realtime_errors_total{code="a \"name\"\n\\"} 2',
        "# HELP event_loop_lag_seconds How late the event loop was, sampled each 0.1 s.",
        "# TYPE event_loop_lag_seconds histogram",
        'event_loop_lag_seconds_bucket{le="0.5"} 0',
        'event_loop_lag_seconds_bucket{le="1.0"} 1',
        'event_loop_lag_seconds_bucket{le="+Inf"} 1',
        "event_loop_lag_seconds_sum 0.75",
        "event_loop_lag_seconds_count 1",
    ]


# Several processes


def some(**values):
    return {
        "realtime_events_published_total": {"": values["published"]},
        "realtime_groups": {"": values["groups"]},
        "realtime_event_age_seconds": {"": values["age"]},
    }


def die(place):
    """What the kernel does when a process ends, however it ends."""
    os.close(place._lock)


def test_sums_do_not_fall_when_a_process_dies(tmp_path):
    one, two = Place(tmp_path), Place(tmp_path)
    one.leave(some(published=5.0, groups=2.0, age=1.0), at=1)
    two.leave(some(published=7.0, groups=3.0, age=4.0), at=1)
    assert one.of_all() == two.of_all() == some(published=12.0, groups=5.0, age=4.0)
    die(two)
    assert one.of_all() == some(published=12.0, groups=2.0, age=1.0)
    three = Place(tmp_path)  # takes its place
    assert one.of_all()["realtime_events_published_total"] == {"": 12.0}
    three.leave(some(published=1.0, groups=1.0, age=0.0), at=2)
    assert one.of_all() == three.of_all() == some(published=13.0, groups=3.0, age=1.0)
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_older_figures_do_not_replace_newer_ones(tmp_path):
    place = Place(tmp_path)
    place.leave(some(published=5.0, groups=0.0, age=0.0), at=2)
    place.leave(some(published=4.0, groups=0.0, age=0.0), at=1)
    assert place.of_all()["realtime_events_published_total"] == {"": 5.0}


async def test_a_scrape_has_the_figures_of_all(async_client, settings, tmp_path):
    settings.METRICS_FOLDER = tmp_path
    other = Place(tmp_path)
    other.leave({"realtime_processes": {"": 1.0}}, time.monotonic())
    assert value(await async_client.get("/metrics", headers=PROOF), "realtime_processes") == 2


@pytest.mark.parametrize("harm", ["gone", "damaged"])
async def test_no_half_sums(async_client, settings, tmp_path, harm):
    settings.METRICS_FOLDER = tmp_path
    if harm == "gone":
        settings.METRICS_FOLDER /= "gone"
    else:
        (tmp_path / "7.json").write_text("{")
    response = await async_client.get("/metrics", headers=PROOF)
    assert (response.status_code, response.content.count(b"\n")) == (503, 1)
