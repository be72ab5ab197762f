"""Guesses are limited by the client that a proxy names, over all processes; then others still come in."""

from contextlib import closing
from itertools import cycle

import httpx
import pytest

from client import Person
from serving import each, running
from variants import first

VARIANTS = [
    first(server="uvicorn", channel_layer="redis", auth="session_jwt"),
    first(server="granian", channel_layer="redis", auth="jwt"),
]
GUESSER, SOMEBODY = {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "198.51.100.8"}


@pytest.mark.parametrize("variant", each(VARIANTS))
def test_who_guesses_waits_in_every_process(variant, installed):
    project = installed(variant)

    def start():
        return running(project, FORWARDED_ALLOW_IPS="127.0.0.1")

    def ask(server, headers, password):
        data = {"username": "student", "password": password}
        return httpx.post(f"{server.url}/api/token/", json=data, headers=headers, timeout=30)

    with start() as one, start() as other:
        right = Person(one.url, "student", "jwt").password
        guesses = 0
        for server in cycle([one, other]):
            status = ask(server, GUESSER, "guess").status_code
            if status == 429:
                break
            assert status == 401
            guesses += 1
        assert 10 <= guesses < 20  # a quarter of an hour may end meanwhile
        for server in (one, other):
            answer = ask(server, GUESSER, right)
            assert answer.status_code == 429
            assert 0 < int(answer.headers["retry-after"]) <= 900
            assert ask(server, SOMEBODY, right).status_code == 200
            with closing(Person(server.url, "student", "session")) as student:
                assert student.browser.get("/").status_code == 200
