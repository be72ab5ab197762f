"""The AsyncAPI document as people read it: references followed, schemas in words, and frames to try."""

import json
import re
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from realtime.asyncapi import EVERY_SOCKET

EXPLAINED_ONCE = ("type", "id", "ok")  # fields which are the same in every frame
SAMPLES = {"string": "Hello", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
MOMENT = "2026-01-31T12:00:00Z"


class Page:
    """What the template shows: the channels, and what holds for all of them."""

    def __init__(self, document: dict[str, Any]):
        self.document = document
        self.channels = [self._channel(name, channel) for name, channel in document["channels"].items()]
        self.tables = tables(self.channels, core=True)
        self.proofs = [
            (found.get("name") or found["scheme"], found.get("in", "header"), prose(found["description"]))
            for found in document["components"]["securitySchemes"].values()
        ]
        self.errors = [(code, prose(meaning)) for code, meaning in document["x-errors"].items()]
        self.close_codes = [
            (code, prose(found["meaning"]), prose(found["client"]))
            for code, found in document["x-close-codes"].items()
        ]

    def _channel(self, name: str, channel: dict[str, Any]) -> dict[str, Any]:
        query = channel.get("bindings", {}).get("ws", {}).get("query", {}).get("properties", {})
        operations = [
            operation
            for operation in self.document["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{name}"
        ]
        described = {
            "name": name,
            "address": channel["address"],
            "description": prose(channel["description"]),
            "guests": channel.get("x-guests", False),
            "parameters": list(channel["parameters"]),
            "query": [(name, prose(schema["description"])) for name, schema in query.items()],
            "takes": self._frames(operations, "receive"),
            "sends": self._frames(operations, "send"),
        }
        return {**described, "tables": tables([described], core=False)}

    def _frames(self, operations: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
        return [
            self._frame(self._follow(message), operation.get("reply"))
            for operation in operations
            if operation["action"] == action
            for message in operation["messages"]
        ]

    def _frame(self, message: dict[str, Any], reply: dict[str, Any] | None) -> dict[str, Any]:
        schema = self._follow(message["payload"])
        answer = self._follow(reply["messages"][0])["payload"] if reply else {}
        return {
            "type": message["name"],
            "core": EVERY_SOCKET in [tag["name"] for tag in message.get("tags", ())],
            "description": prose(schema.get("description", "")),
            "fields": self._fields(schema),
            "reply": self._fields(answer),
            "example": json.dumps({**self._sample(schema), "id": 1}, indent=2),
        }

    def _follow(self, node: dict[str, Any]) -> dict[str, Any]:
        """What a node stands for, however many references lead there."""
        while "$ref" in node:
            keys = node["$ref"].removeprefix("#/").split("/")
            node = self.document
            for key in keys:
                node = node[key]
        return node

    def _fields(self, schema: dict[str, Any]) -> list[tuple[str, str, bool]]:
        """The name of each field of an object, its type in words, and whether it has to be there."""
        parts = map(self._follow, schema.get("allOf", [schema]))
        return [
            (name, self.words(field), name in part.get("required", ()))
            for part in parts
            for name, field in part.get("properties", {}).items()
            if name not in EXPLAINED_ONCE
        ]

    def words(self, schema: dict[str, Any]) -> str:
        schema = self._follow(schema)
        if "anyOf" in schema:
            return " or ".join(map(self.words, schema["anyOf"]))
        if "enum" in schema:
            return " or ".join(map(json.dumps, schema["enum"]))
        if "properties" in schema:
            fields = [f"{name}: {self.words(field)}" for name, field in schema["properties"].items()]
            return "{" + ", ".join(fields) + "}"
        if schema.get("type") == "array":
            return f"list of {self.words(schema.get('items', {}))}"
        return schema.get("format") or schema.get("type", "anything") + limits(schema)

    def _sample(self, schema: dict[str, Any]) -> Any:
        """Something that a schema allows; of an object, the fields that have to be there."""
        schema = self._follow(schema)
        if "properties" in schema:
            fields = schema["properties"]
            return {name: self._sample(fields[name]) for name in schema.get("required", ())}
        for key in ("examples", "enum", "anyOf"):
            if key in schema:
                first = schema[key][0]
                return self._sample(first) if key == "anyOf" else first
        if schema.get("format") == "date-time":
            return MOMENT
        return SAMPLES.get(schema.get("type", ""))


def tables(channels: list[dict[str, Any]], core: bool) -> list[tuple[str, list]]:
    """The frames of channels, each once, under a title: the core's, or those that are a channel's own."""
    found = []
    for title, way in (("From a client", "takes"), ("From the server", "sends")):
        frames = [frame for channel in channels for frame in channel[way] if frame["core"] == core]
        if frames:
            found.append((title, list({frame["type"]: frame for frame in frames}.values())))
    return found


def limits(schema: dict[str, Any]) -> str:
    """The limits of a string or a number, in words."""
    found = []
    for unit, least, most in (
        (" characters", "minLength", "maxLength"),
        ("", "minimum", "maximum"),
    ):
        if least in schema and most in schema:
            found.append(f"{schema[least]:,} to {schema[most]:,}{unit}")
        elif least in schema:
            found.append(f"{schema[least]:,}{unit} or more")
        elif most in schema:
            found.append(f"{schema[most]:,}{unit} at most")
    return "".join(f", {limit}" for limit in found)


def prose(text: str) -> SafeString:
    """A text of the document as HTML: words in backquotes are code, and only empty lines count."""
    paragraphs = re.sub(r"(?<!\n)\n(?!\n)", " ", escape(text))
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", paragraphs))  # noqa: S308 (it is escaped)
