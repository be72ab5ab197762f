"""The frames of every WebSocket as TypeScript, read from the consumers themselves: `manage.py frames`.

Each struct and each consumer is an interface, and `Sockets` says which consumer is at which path:

    export interface Sockets {
      "/ws/news/": NewsConsumer;
      [path: `/ws/polls/${string}/`]: PollConsumer;
    }
"""

import json
from collections.abc import Iterable, Iterator
from importlib import import_module
from inspect import cleandoc
from itertools import count
from re import escape, fullmatch, split, sub
from textwrap import indent
from typing import Any, get_args, get_origin

import msgspec
from django.urls.converters import IntConverter
from msgspec import inspect

from realtime.asyncapi import is_ours
from realtime.consumer import RealtimeConsumer
from realtime.dispatch import has_fields
from realtime.frames import Reply, is_frame
from realtime.routes import Route, flatten

HEAD = "// Written by `manage.py frames` from the consumers: what is changed here is lost."
WIDTH = 96  # of a line, before it is broken
STRING, NUMBER = "${string}", "${number}"
# Names that mean something else to whoever imports the module.
TAKEN = {"Error", "Event", "Location", "Map", "Notification", "Record", "Request", "Set", "Sockets"}
WITH_FIELDS = (inspect.StructType, inspect.TypedDictType, inspect.DataclassType, inspect.NamedTupleType)
SIMPLE: dict[type[inspect.Type], str] = {
    inspect.NoneType: "null",
    inspect.BoolType: "boolean",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.StrType: "string",
    inspect.BytesType: "string",  # in base64
    inspect.DateTimeType: "string",
    inspect.DateType: "string",
    inspect.TimeType: "string",
    inspect.TimeDeltaType: "string",
    inspect.UUIDType: "string",
    inspect.DecimalType: "string",
}


def source() -> str:
    """Return the text of the module."""
    *routes, _nowhere = flatten(import_module("config.routing").websocket_urlpatterns)
    routes = [route for route in routes if is_ours(route.consumer)]  # a plain consumer does not say
    writer = Writer(list(dict.fromkeys(route.consumer for route in routes)))
    parts = [HEAD, *map(writer.struct, writer.structs), *map(writer.consumer, writer.consumers)]
    return "\n\n".join([*parts, writer.sockets(routes)]) + "\n"


class Writer:
    """Writes the types of some consumers, each by a name of its own."""

    def __init__(self, consumers: list[type[RealtimeConsumer]]):
        self.consumers = consumers
        frames: dict[Any, None] = {Reply: None}
        for consumer in consumers:
            returned = filter(has_fields, consumer.replies.values())
            frames |= dict.fromkeys((*consumer.handlers, *returned, *consumer.sends))
        self.structs = with_fields(frames)
        self.from_clients = with_fields({frame for consumer in consumers for frame in consumer.handlers})
        self.names = names([*self.structs, *consumers])

    def struct(self, kind: Any) -> str:
        described = self.structs[kind]
        tag = json.dumps(getattr(described, "tag", None))
        if isinstance(described, inspect.NamedTupleType) or getattr(described, "array_like", False):
            items = [tag] * (tag != "null") + [self.type(field.type) for field in described.fields]
            return f"{comment(kind)}export type {self.names[kind]} = [{', '.join(items)}];"
        fields = [f"{described.tag_field}: {tag};"] if tag != "null" else []
        for field in described.fields:
            mark = "?" if self.may_lack(kind, field) else ""
            fields.append(member(key(field.encode_name) + mark, self.type(field.type)))
        return comment(kind) + interface(self.names[kind], fields)

    def may_lack(self, kind: Any, field: inspect.Field) -> bool:
        """Whether a field may be absent. Clients may omit what has a default, the server omits it if told."""
        config = getattr(kind, "__struct_config__", None)
        has_default = (field.default, field.default_factory) != (inspect.NODEFAULT, inspect.NODEFAULT)
        always = has_default and kind not in self.from_clients and not (config and config.omit_defaults)
        return not field.required and not always

    def consumer(self, consumer: type[RealtimeConsumer]) -> str:
        replies = [
            member(key(str(frame.__struct_config__.tag)), self.reply(returned))
            for frame, returned in consumer.replies.items()
        ]
        fields = [
            member("client", *(self.names[frame] for frame in consumer.handlers)),
            member("server", *(self.names[frame] for frame in consumer.sends)),
            "replies: " + block(replies) + ";",
        ]
        return comment(consumer) + interface(self.names[consumer], fields)

    def reply(self, returned: Any) -> str:
        """What answers a frame, by what its handler is annotated to return."""
        if returned is None:
            return self.names[Reply]
        holds = self.names[returned] if has_fields(returned) else "Record<string, unknown>"
        return f"{self.names[Reply]} & {holds}"

    def sockets(self, routes: list[Route]) -> str:
        """The consumers by path. Of two patterns that meet, the wider one has to have both of them."""
        found: dict[str, list[type]] = {}
        for route in routes:
            found.setdefault(pattern(route), []).append(route.consumer)
        fields = []
        for path in found:
            here = dict.fromkeys(each for other in found if covers(path, other) for each in found[other])
            name = f"[path: `{path}`]" if "${" in path else json.dumps(path)
            fields.append(member(name, *map(self.names.__getitem__, here)))
        return "/** What is said at which path. */\n" + interface("Sockets", fields)

    def type(self, kind: inspect.Type) -> str:
        """A type as TypeScript has it; of what msgspec knows nothing, neither does that."""
        match kind:
            case inspect.StructType() | inspect.TypedDictType():
                return self.names[kind.cls]
            case inspect.DataclassType() | inspect.NamedTupleType():
                return self.names[kind.cls]
            case inspect.Metadata():
                return self.type(kind.type)
            case inspect.UnionType():
                return " | ".join(map(self.type, kind.types))
            case inspect.LiteralType():
                return " | ".join(map(json.dumps, kind.values))
            case inspect.EnumType():
                return " | ".join(json.dumps(each.value) for each in kind.cls)
            case inspect.CollectionType():
                return f"Array<{self.type(kind.item_type)}>"
            case inspect.TupleType():
                return f"[{', '.join(map(self.type, kind.item_types))}]"
            case inspect.DictType():
                return f"Record<string, {self.type(kind.value_type)}>"
        return SIMPLE.get(type(kind), "unknown")


def with_fields(kinds: Iterable[Any]) -> dict[Any, Any]:
    """Describe the types that have fields, among these and all that are in them."""
    found: dict[Any, Any] = {}

    def look(kind: inspect.Type) -> None:
        if isinstance(kind, WITH_FIELDS):
            if kind.cls in found:
                return
            found[kind.cls] = kind
        for each in inner(kind):
            look(each)

    for kind in inspect.multi_type_info(kinds):
        look(kind)
    return found


def inner(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types in a type."""
    for value in msgspec.structs.asdict(kind).values():
        for each in value if isinstance(value, tuple) else [value]:
            each = each.type if isinstance(each, inspect.Field) else each
            if isinstance(each, inspect.Type):
                yield each


def names(kinds: Iterable[Any]) -> dict[Any, str]:
    """Name each type. Of those with one name the first keeps it, others have that of their app in front."""
    found: dict[Any, str] = {}
    for kind in sorted(kinds, key=lambda kind: app(kind) != "realtime"):  # the core's own stay as they are
        parts = [each.__name__ for each in (get_origin(kind) or kind, *get_args(kind))]
        name = "".join(part[0].upper() + part[1:] for part in parts)
        if name in TAKEN and is_frame(kind):
            name += "Frame"
        if name in TAKEN or name in found.values():
            name = "".join(word.capitalize() for word in app(kind).split("_")) + name
        numbered = (f"{name}{number if number > 1 else ''}" for number in count(1))
        found[kind] = next(each for each in numbered if each not in found.values())
    return found


def app(kind: Any) -> str:
    return (get_origin(kind) or kind).__module__.partition(".")[0]


def pattern(route: Route) -> str:
    """The address of a route as a template of TypeScript, for example `/ws/polls/${number}/`."""
    numbers = {
        name
        for each in route.patterns
        for name, converter in each.converters.items()
        if isinstance(converter, IntConverter)
    }
    return sub(r"{(\w+)}", lambda found: NUMBER if found[1] in numbers else STRING, route.address)


def covers(path: str, other: str) -> bool:
    """Whether all that fits one template fits another, which may be it."""
    parts = {STRING: ".*", NUMBER: r"(\d+|\${number})"}
    regex = "".join(parts.get(part) or escape(part) for part in split(r"(\${\w+})", path))
    return fullmatch(regex, other) is not None


def interface(name: str, fields: list[str]) -> str:
    return f"export interface {name} {block(fields)}"


def block(lines: list[str]) -> str:
    return "{\n" + indent("\n".join(lines), "  ") + "\n}"


def member(name: str, *types: str) -> str:
    line = f"{name}: {' | '.join(types)};"
    return line if len(line) <= WIDTH else f"{name}:" + "".join(f"\n  | {each}" for each in types) + ";"


def key(name: str) -> str:
    return name if fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


def comment(kind: Any) -> str:
    """The docstring of a type, if a person has written it."""
    kind = get_origin(kind) or kind
    text = cleandoc(kind.__doc__ or "").replace("*/", "*\\/")
    if not text or text.startswith(f"{kind.__name__}("):
        return ""
    if "\n" not in text:
        return f"/** {text} */\n"
    return "/**\n" + indent(text, " * ", lambda line: True).replace(" * \n", " *\n") + "\n */\n"
