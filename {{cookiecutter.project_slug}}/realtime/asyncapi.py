"""The AsyncAPI document: which frames each WebSocket takes and sends, read from the consumers themselves.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from functools import cache
from importlib import import_module
from itertools import count
from typing import Any

import msgspec

from realtime.dispatch import Dispatcher
from realtime.routes import flatten

REFERENCE = "#/components/schemas/{name}"


@cache
def document(title: str) -> dict[str, Any]:
    """Describe every WebSocket route as a channel, its consumer's frames as messages."""
    channels, operations, messages = {}, {}, {}
    *routes, _nowhere = flatten(import_module("config.routing").websocket_urlpatterns)
    frames = {frame for route in routes for own in _frames(route.consumer).values() for frame in own}
    references, schemas = msgspec.json.schema_components(sorted(frames, key=_name), ref_template=REFERENCE)
    for frame, reference in zip(sorted(frames, key=_name), references, strict=True):
        messages[_name(frame)] = {"name": frame.__struct_config__.tag, "payload": reference}
    for route in routes:
        names = (f"{route.name}{number if number > 1 else ''}" for number in count(1))
        name = next(name for name in names if name not in channels)  # one consumer may have two routes
        actions = _frames(route.consumer)
        channels[name] = {
            "address": route.address,
            "parameters": {parameter: {} for parameter in route.parameters},
            "messages": {
                _name(frame): {"$ref": f"#/components/messages/{_name(frame)}"}
                for own in actions.values()
                for frame in own
            },
        }
        for action, own in actions.items():
            operations[f"{name}.{action}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/{_name(frame)}"} for frame in own],
            }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": "1"},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }


def _frames(consumer: Any) -> dict[str, tuple]:
    """The frames that a consumer takes and sends; none of a plain Channels consumer, which declares none."""
    if isinstance(consumer, type) and issubclass(consumer, Dispatcher):
        return {"receive": tuple(consumer.handlers), "send": consumer.sends}
    return {}


def _name(frame: type[msgspec.Struct]) -> str:
    return f"{frame.__module__.partition('.')[0]}.{frame.__name__}"
