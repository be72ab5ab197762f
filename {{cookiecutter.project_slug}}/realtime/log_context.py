"""Which socket, or which request, a line in the log belongs to; `config/logs.py` writes it there."""

from contextvars import ContextVar
from inspect import markcoroutinefunction
from secrets import token_hex
from typing import Any

# The scope of the socket that this task or thread works for. For a request it is a dict with `request_id`,
# `path` and `request`. So it holds nothing that would not be there anyway.
log_context: ContextVar[dict[str, Any] | None] = ContextVar("log_context", default=None)


class SocketContext:
    """ASGI middleware that gives a socket an id, which is in all that is logged for it from here on."""

    def __init__(self, application):
        self.application = application

    @markcoroutinefunction  # it returns the application's: one of its own would last as long as a socket
    def __call__(self, scope, receive, send):
        scope["socket_id"] = token_hex(16)
        log_context.set(scope)
        return self.application(scope, receive, send)
