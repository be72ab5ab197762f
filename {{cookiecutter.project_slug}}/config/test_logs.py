"""What a line in the log looks like; tests of real servers would only show that it is there."""

import json
import logging
import sys

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from django.utils.functional import SimpleLazyObject

import config.asgi  # noqa: F401  (to set up logging takes pytest's handler away)
from config.logs import JsonFormatter, TextFormatter, log_requests


def record(message="hello", *args, exc_info=None, **extra):
    logger = logging.getLogger("shop")
    return logger.makeRecord("shop", logging.INFO, __file__, 1, message, args, exc_info, extra=extra)


@pytest.fixture
def failure():
    try:
        raise ValueError("one\n2026 INFO forged: two")
    except ValueError:
        return sys.exc_info()


def test_json_is_one_line_whatever_is_in_it(failure):
    written = record("a\n%s\x1b\ud800", "b\u2028", exc_info=failure, order=7, odd=object())
    line = JsonFormatter().format(written)
    assert line.isascii()
    assert "\n" not in line
    fields = json.loads(line)
    assert fields["message"] == "a\nb\u2028\x1b\\ud800"
    assert fields["exception"].endswith("forged: two")
    assert (fields["level"], fields["logger"], fields["order"]) == ("INFO", "shop", 7)
    assert "odd" not in fields


def test_text_has_one_line_for_each_record_and_the_rest_is_indented(failure):
    first, *rest = TextFormatter().format(record("a\r\n%s", "b\u2028\x1b[2J", exc_info=failure)).split("\n")
    assert r" INFO shop: a\r\nb\u2028\x1b[2J" in first
    assert rest[-1] == "  2026 INFO forged: two"
    assert all(line.startswith("  ") for line in rest)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("from.proxy-1", True), ("x" * 65, False), ("a b", False), ("a\x1b[2J", False), ("", False)],
)
async def test_a_request_has_an_id_and_gives_it_back(given, kept, caplog, student):
    def under_wsgi(request):
        return HttpResponse(JsonFormatter().format(record()))

    async def under_asgi(request):
        request._acached_user = student  # as the middleware keeps it
        return under_wsgi(request)

    for view, factory in ((under_wsgi, RequestFactory()), (under_asgi, AsyncRequestFactory())):
        handler = log_requests(view)
        request = factory.get("/shop/?ticket=sesame", headers={"X-Request-ID": given})
        request.user = SimpleLazyObject(lambda: pytest.fail("that is a query"))
        with caplog.at_level(logging.INFO, "access"):
            response = handler(request)
            response = await response if iscoroutinefunction(handler) else response
        request_id = response["X-Request-ID"]
        assert (request_id == given, request_id.isalnum()) == (kept, not kept)
        line = json.loads(response.content)
        assert (line["request"], line["path"]) == (request_id, "/shop/")
        assert line.get("user") == (student.pk if view is under_asgi else None)
        assert "GET /shop/ 200 in" in caplog.messages[-1]
        assert caplog.records[-1].status == 200


async def test_what_a_socket_logs_knows_the_socket(connect, student, caplog):
    with caplog.at_level(logging.INFO, "realtime.sockets"):
        socket = await connect("/ws/sample/?secret=sesame", student)
        await socket.disconnect(1001)
    opened, closed = (record for record in caplog.records if record.name == "realtime.sockets")
    assert opened.getMessage() == "/ws/sample/ SampleConsumer opened"
    assert (closed.code, closed.consumer) == (1001, "SampleConsumer")
    assert closed.getMessage().startswith("/ws/sample/ SampleConsumer closed with 1001 after ")
