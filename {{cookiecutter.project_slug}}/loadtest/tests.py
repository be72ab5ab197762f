"""What a load test takes and tells; tests of a whole one need a server, and a minute."""

import math
import re
from argparse import Namespace
from pathlib import Path

import pytest
from aiohttp import web

from accounts.challenge import sign
from loadtest.arguments import parse
from loadtest.measures import Durations, Figures, Tick
from loadtest.problems import Problem
from loadtest.report import write
from loadtest.site import Site
from loadtest.users import users_for
from loadtest.verdict import judge, table

TOKEN = "only-for-tests-0123456789-0123456789"
FACTS = {
    "users": 20,
    "sockets_per_user": 100,
    "rate": [[50, 1], [1000, 60]],
    "user_rate": [[3000, 60]],
    "heartbeat": 25,
}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("--url example.com", "give it as https://"),
        ("--url https://example.com/page", "is no site"),
        ("--url http://[::1", "is no site"),
        ("--sockets 0", "not a number of 1 or more"),
        ("--rate many", "not a number of 0 or more"),
        ("--seconds nan", "not a number of 1 or more"),
        ("--path ws", "is no path"),
        ("--by magic", "invalid choice"),
        ("--report .", "no file that you may write"),
        ("--report /nowhere/report.html", "no file that you may write"),
        ("--sockets 900000000", "ulimit -Hn"),
    ],
)
def test_wrong_arguments_are_told_in_a_line(arguments, complaint, capsys, monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda kind: (1024, 4096))
    with pytest.raises(SystemExit) as end:
        parse(arguments.split())
    assert end.value.code == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]


def test_a_site_is_named_as_browsers_do():
    assert parse(["--url", "HTTPS://Example.com:443/"]).url == "https://example.com"
    assert parse(["--url", "http://[::1]:8000"]).url == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 13),
        ({"sockets": 100}, 10),
        ({"sockets": 5}, 5),
        ({"users": 13}, 13),
        ({"users": 12}, "this takes 13 users or more, because of WS_MAX_SOCKETS_PER_USER"),
        ({"sockets": 2000}, "The site has 20 users for load tests, and this takes 25, because of"),
        ({"rate": 1000}, "takes 26, because of WS_USER_RATE"),
        ({"users": 30}, "this takes 30. Run `manage.py loadtest_users 30` at the site."),
        ({"rate": 20, "sockets": 1}, "may send 16.7 (WS_RATE at the site)"),
    ],
)
def test_how_many_users_it_takes(options, expected):
    options = Namespace(**{"sockets": 1000, "rate": 10.0, "users": None} | options)
    if isinstance(expected, int):
        assert users_for(options, FACTS) == expected
    else:
        with pytest.raises(Problem, match=re.escape(expected)):
            users_for(options, FACTS)


def test_percentiles():
    durations = Durations()
    assert durations.percentile(99) == 0
    for n in range(1, 1001):
        durations.add(n / 1000)
    for percent in (50, 95, 99):
        assert math.isclose(durations.percentile(percent), percent / 100, rel_tol=0.011)
    assert durations.percentile(100) == durations.longest == 1


@pytest.fixture
def options(tmp_path):
    return parse(["--max-p99-ms", "100", "--max-errors", "5", "--report", str(tmp_path / "report.html")])


@pytest.fixture
def figures(options):
    figures = Figures(asked=vars(options), site="http://<host>", began=0.0, sending=(1.0, 3.0))
    for second in range(3):
        figures.begin(Tick(float(second), seconds=1.0, sockets=100))
    for n in range(200):
        figures.delivered(0.001 * (n + 1))
    figures.expected = 200
    figures.failed("handshake: HTTP 403")
    return figures


def test_a_limit_that_is_missed_is_named(figures, options):
    assert judge(figures, options) == ["--max-p99-ms 100: it was 197.5."]
    options.max_p99_ms = 200
    assert judge(figures, options) == []
    assert figures.remarks == []


def test_it_says_so_if_it_was_too_slow_itself(figures, options):
    figures.tick.cpu = 0.97
    judge(figures, options)
    assert "load generator itself was late in 1 of 3 intervals" in figures.remarks[0]


def test_a_test_in_which_nothing_happened_has_a_report_too(options):
    figures = Figures(asked=vars(options), site="http://localhost", began=0.0)
    figures.begin(Tick(0.0, seconds=1e-9))
    assert "deliveries" not in table(figures)
    assert write(options.report, figures, []) == f"The report is in {options.report}."


def test_the_report_needs_nothing_from_elsewhere(figures, options):
    write(options.report, figures, judge(figures, options))
    page = options.report.read_text()
    assert "http://&lt;host&gt;" in page
    assert "--max-p99-ms 100: it was 197.5." in page
    assert "handshake: HTTP 403" in page
    assert page.count("<svg") == 6
    assert not re.search(r"<script|<link|<img|url\(|@import|NaN|None", page)


@pytest.fixture
async def other_site():
    """The address of a site that gives whatever answer is put into the list."""

    async def answer(request):
        return answers[0]

    answers: list[web.Response] = []
    server = web.ServerRunner(web.Server(answer))
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{server.addresses[0][1]}", answers
    await server.cleanup()


async def refusal(url, token=TOKEN):
    async with Site(url, None) as site:
        with pytest.raises(Problem) as problem:
            await site.agree(token)
    return str(problem.value)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({"status": 404}, "does not agree to a load test (HTTP 404): if it is yours, set LOADTEST_TOKEN"),
        ({"text": "eyJ1c2VycyI6OX0:1wabcd:forged"}, "does not agree to a load test (HTTP 200)"),
        ({"status": 403, "text": '{"detail": "no"}'}, "does not agree to a load test: no; set"),
        ({"status": 301, "headers": {"Location": "https://a.example/"}}, "leads to https://a.example/: give"),
        ({"status": 400}, "in its ALLOWED_HOSTS?"),
    ],
)
async def test_nobody_is_put_under_load_who_does_not_agree(answer, complaint, other_site):
    url, answers = other_site
    answers.append(web.Response(**answer))
    assert complaint in await refusal(url)


async def test_an_answer_to_another_question_proves_nothing(other_site):
    url, answers = other_site
    answers.append(web.Response(text=sign({"host": "a.example", "nonce": "1"}, "answer", TOKEN)))
    assert "an answer to another question" in await refusal(url)


async def test_a_site_with_another_clock(other_site, monkeypatch):
    url, answers = other_site
    with monkeypatch.context() as earlier:
        earlier.setattr("time.time", lambda: 1_000_000_000)
        answers.append(web.Response(text=sign({}, "answer", TOKEN)))
    assert "this one differ by more than 60 s" in await refusal(url)


async def test_a_site_that_cannot_be_asked(other_site):
    url, _ = other_site
    assert "it does not speak TLS. Give it as http://" in await refusal(url.replace("http", "https"))
    assert "does not answer: connection refused. Does it run" in await refusal("http://127.0.0.1:1")
    assert "LOADTEST_TOKEN is not set here" in await refusal(url, token="")
    with pytest.raises(Problem, match="holds no certificates"):
        Site(url, Path(__file__))
