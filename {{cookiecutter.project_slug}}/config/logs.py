"""The log: a line for each record, whoever writes it, with what is known of its request or socket.

Nothing that a client sends makes two lines of one. The query string, where a ticket or a token may stand, is
never logged, and users are numbers.
"""

import json
import logging
import re
import sys
import threading
import time
from datetime import UTC, datetime
from secrets import token_hex

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import LazyObject

from realtime.log_context import log_context

logger = logging.getLogger("access")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what X-Request-ID may be
# What ends a line for some program, moves the cursor of a terminal, or is no character.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
OF_EVERY_RECORD = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """One JSON object; simple values in `extra` are fields of their own."""

    def format(self, record):
        own = {key: value for key, value in vars(record).items() if key not in OF_EVERY_RECORD}
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **context_of(record),
            **{key: value for key, value in own.items() if isinstance(value, str | int | float)},
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack"] = record.stack_info
        # In ASCII, so that there is nothing unsafe in it; some parsers refuse half a character.
        return json.dumps({name: whole(value) for name, value in fields.items()})


class TextFormatter(logging.Formatter):
    """A line for people; what follows it, such as a traceback, is indented."""

    def __init__(self):
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def formatMessage(self, record):
        known = " ".join(f"{name}={value}" for name, value in context_of(record).items() if name != "path")
        return safe(super().formatMessage(record)) + (known and f" [{known}]")

    def formatException(self, info):
        return self.formatStack(super().formatException(info))

    def formatStack(self, stack):
        return "\n".join(f"  {safe(line)}" for line in stack.split("\n"))


def whole(value):
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def safe(text: str) -> str:
    return UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def context_of(record: logging.LogRecord) -> dict[str, str | int]:
    """The request or the socket of a record, the user, if known, and the path."""
    context = log_context.get()
    if context is None:
        return {}
    if request := context.get("request"):
        known = {"request": context["request_id"], "user": user_of(request), "path": path_of(request)}
    else:
        known = {"socket": context.get("socket_id"), "user": context.get("user"), "path": context.get("path")}
    known["user"] = getattr(known["user"], "pk", None)
    return {name: value for name, value in known.items() if value is not None}


def path_of(request):
    """The path, without the token of a link that was sent by mail: with that, one sets a new password."""
    match = request.resolver_match
    token = match and match.kwargs.get("token")
    return request.path.replace(token, "...") if token else request.path


def user_of(request):
    """Whoever made a request, if somebody has asked for that already: to find out takes a query."""
    known = vars(request)
    user = known.get("user")
    return known.get("_acached_user") or known.get("_cached_user") if isinstance(user, LazyObject) else user


def log_the_rest() -> None:
    """Log warnings, and exceptions that nobody catches, which Python would write to stderr as they are."""
    logging.captureWarnings(True)
    sys.excepthook = log_uncaught
    threading.excepthook = lambda thread: log_uncaught(
        thread.exc_type, thread.exc_value, thread.exc_traceback
    )


def log_uncaught(kind, error, traceback):
    if issubclass(kind, KeyboardInterrupt):
        return sys.__excepthook__(kind, error, traceback)
    logging.getLogger("uncaught").critical("nobody caught this", exc_info=(kind, error, traceback))


@sync_and_async_middleware
def log_requests(get_response):
    """Give each request an id, and log how it went.

    A proxy may have chosen the id, in X-Request-ID. It is in all that is logged meanwhile, and in the answer.
    """

    def begin(request):
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else token_hex(16)
        log_context.set({"request_id": request_id, "request": request})
        return request_id, time.perf_counter()

    def end(request, response, request_id, began):
        response["X-Request-ID"] = request_id
        fields = {
            "address": request.META.get("REMOTE_ADDR", ""),
            "method": request.method,
            "status": response.status_code,
            "duration": round(time.perf_counter() - began, 4),
        }
        address, method, status, duration = fields.values()
        logger.info("%s %s %s %s in %s s", address, method, path_of(request), status, duration, extra=fields)
        return response

    async def under_asgi(request):
        began = begin(request)
        return end(request, await get_response(request), *began)

    def under_wsgi(request):
        began = begin(request)
        try:
            return end(request, get_response(request), *began)
        finally:
            log_context.set(None)  # the thread goes on; a task does not

    return under_asgi if iscoroutinefunction(get_response) else under_wsgi
