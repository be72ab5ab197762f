"""The WebSocket routes, flat: what nested URLRouters hold as well, each with all that stands before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import sub
from typing import Any

from channels.routing import URLRouter
from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern
from django.urls.resolvers import RegexPattern, RoutePattern


@dataclass(frozen=True)
class Route:
    """A way to an ASGI application: the patterns of the routers around it, outermost first, then its own."""

    patterns: tuple[RoutePattern | RegexPattern, ...]
    application: Callable

    def __str__(self) -> str:
        return "".join(map(str, self.patterns))

    @property
    def consumer(self) -> Any:
        """The class of the consumer, also inside of middleware; an application that is none, as it is."""
        application = self.application
        while not hasattr(application, "consumer_class") and hasattr(application, "inner"):
            application = application.inner
        return getattr(application, "consumer_class", application)

    @property
    def name(self) -> str:
        return getattr(self.consumer, "__name__", type(self.consumer).__name__)

    @property
    def address(self) -> str:
        """The address as people read it, for example `/ws/polls/{poll_id}/`."""
        text = "".join(
            sub(r"\\(\W)", r"\1", simplify_regex(str(pattern))[1:])
            if isinstance(pattern, RegexPattern)
            else str(pattern)
            for pattern in self.patterns
        )
        return "/" + sub(r"<(?:\w+:)?(\w+)>", r"{\1}", text)

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters in the address."""
        return [name for pattern in self.patterns for name in pattern.regex.groupindex]

    def takes(self, address: str) -> bool:
        """Whether an address leads here if no route before this one takes it."""
        for pattern in self.patterns:
            found = pattern.match(address.lstrip("/"))
            if found is None:
                return False
            address = found[0]
        return True


def flatten(routes: list[URLPattern], before: tuple = ()) -> Iterator[Route]:
    """Yield the routes in their order, those of nested URLRouters in the place of these."""
    for route in URLRouter(routes).routes:  # which makes the pattern of a nested one a prefix
        patterns = (*before, route.pattern)
        if isinstance(route.callback, URLRouter):
            yield from flatten(route.callback.routes, patterns)
        else:
            yield Route(patterns, route.callback)
