"""The AsyncAPI document: which frames each WebSocket takes and sends, read from the consumers themselves.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from functools import cache
from importlib import import_module
from re import sub
from typing import Any

import msgspec

REFERENCE = "#/components/schemas/{name}"


@cache
def document(title: str) -> dict[str, Any]:
    """Describe every WebSocket route as a channel, its consumer's frames as messages."""
    channels, operations, messages = {}, {}, {}
    *routes, _nowhere = import_module("config.routing").websocket_urlpatterns
    consumers = [route.callback.consumer_class for route in routes]
    frames = {frame for consumer in consumers for frame in (*consumer.handlers, *consumer.sends)}
    references, schemas = msgspec.json.schema_components(sorted(frames, key=_name), ref_template=REFERENCE)
    for frame, reference in zip(sorted(frames, key=_name), references, strict=True):
        messages[_name(frame)] = {"name": frame.__struct_config__.tag, "payload": reference}
    for route, consumer in zip(routes, consumers, strict=True):
        name = consumer.__name__
        channels[name] = {
            "address": "/" + sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(route.pattern)),
            "parameters": {parameter: {} for parameter in route.pattern.converters},
            "messages": {
                _name(frame): {"$ref": f"#/components/messages/{_name(frame)}"}
                for frame in (*consumer.handlers, *consumer.sends)
            },
        }
        for action, own in (("receive", consumer.handlers), ("send", consumer.sends)):
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


def _name(frame: type[msgspec.Struct]) -> str:
    return f"{frame.__module__.partition('.')[0]}.{frame.__name__}"
