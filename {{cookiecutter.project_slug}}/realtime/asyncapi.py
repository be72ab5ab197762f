"""The AsyncAPI document: which frames each WebSocket takes and sends, read from the consumers themselves.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import inspect
from functools import cache
from importlib import import_module
from itertools import count
from typing import Any

import msgspec

from realtime.auth import AUTHENTICATORS
from realtime.codes import CLOSE_CODES, ERRORS
from realtime.consumer import RealtimeConsumer
from realtime.dispatch import has_fields
from realtime.frames import ClientFrame, Error, Reply, is_frame
from realtime.routes import flatten

REFERENCE = "#/components/schemas/{name}"
EVERY_SOCKET = "every socket"  # the tag of the frames that are the core's own


@cache
def document(title: str) -> dict[str, Any]:
    """Describe every WebSocket route as a channel, its consumer's frames as messages."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    *routes, _nowhere = flatten(import_module("config.routing").websocket_urlpatterns)
    for route in routes:
        names = (f"{route.name}{number if number > 1 else ''}" for number in count(1))
        name = next(name for name in names if name not in channels)  # one consumer may have two routes
        channels[name] = {
            "address": route.address,
            "description": inspect.cleandoc(route.consumer.__doc__ or ""),
            "parameters": {parameter: {} for parameter in route.parameters},
            "messages": {
                _key(frame): {"$ref": f"#/components/messages/{_key(frame)}"}
                for frame in _frames(route.consumer)
            },
        }
        if is_ours(route.consumer):
            channels[name] |= {"x-guests": route.consumer.guests, **_query(route.consumer)}
            operations |= _operations(name, route.consumer)
    frames = sorted({Error, Reply}.union(*(_frames(route.consumer) for route in routes)), key=_key)
    references, schemas = msgspec.json.schema_components(frames, ref_template=REFERENCE)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": "1"},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {
                _key(frame): _message(frame, reference)
                for frame, reference in zip(frames, references, strict=True)
            },
            "schemas": schemas,
            "securitySchemes": {type(each).__name__: each.scheme for each in AUTHENTICATORS},
        },
        "x-errors": ERRORS,
        "x-close-codes": {
            str(code): {"meaning": meaning, "client": client}
            for code, (meaning, client) in CLOSE_CODES.items()
        },
    }


def is_ours(consumer: Any) -> bool:
    """Whether a consumer says which frames it takes and sends; a plain Channels consumer does not."""
    return isinstance(consumer, type) and issubclass(consumer, RealtimeConsumer)


def _frames(consumer: Any) -> list[type]:
    """The frames that a consumer takes, those that answer them, and those that it sends by itself."""
    if not is_ours(consumer):
        return []
    replies = [_reply(consumer, frame) for frame in consumer.handlers]
    return list(dict.fromkeys([*consumer.handlers, *replies, *consumer.sends]))


def _reply(consumer: type[RealtimeConsumer], frame: type[ClientFrame]) -> Any:
    """What answers a frame: a `Reply`, which has besides the fields of what its handler returns."""
    returned = consumer.replies[frame]
    return returned if has_fields(returned) else Reply


def _message(frame: Any, schema: dict[str, str]) -> dict[str, Any]:
    if not is_frame(frame):
        return {"name": "reply", "payload": {"allOf": [{"$ref": REFERENCE.format(name="Reply")}, schema]}}
    tags = [{"name": EVERY_SOCKET}] if frame.__module__ == Reply.__module__ else []
    return {"name": frame.__struct_config__.tag, "payload": schema, "tags": tags}


def _operations(name: str, consumer: type[RealtimeConsumer]) -> dict[str, Any]:
    """One for all that the server sends by itself, and one for each frame that a client sends."""

    def on_channel(*frames):
        messages = [{"$ref": f"#/channels/{name}/messages/{_key(frame)}"} for frame in frames]
        return {"channel": {"$ref": f"#/channels/{name}"}, "messages": messages}

    operations = {f"{name}.send": {"action": "send", **on_channel(*consumer.sends)}}
    error = next(frame for frame in consumer.sends if issubclass(frame, Error))
    for frame, handler in consumer.handlers.items():
        reply = on_channel(_reply(consumer, frame), error)
        operations[f"{name}.{handler}"] = {"action": "receive", **on_channel(frame), "reply": reply}
    return operations


def _query(consumer: type[RealtimeConsumer]) -> dict[str, Any]:
    if consumer.resumes_by is None:
        return {}
    seen = f"The last `{consumer.resumes_by}` that the client has seen: what came after it is sent first."
    since = {"type": "integer", "description": seen}
    query = {"type": "object", "properties": {"since": since}}
    return {"bindings": {"ws": {"query": query, "bindingVersion": "0.1.0"}}}


def _key(frame: type) -> str:
    return f"{frame.__module__.partition('.')[0]}.{frame.__name__}"
