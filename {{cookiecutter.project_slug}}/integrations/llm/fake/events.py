"""How server-sent events and errors are written."""

import json

from aiohttp import web


def event(data: dict, kind: str | None = None) -> bytes:
    head = f"event: {kind}\n" if kind else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def text_of(content: str | list[dict]) -> str:
    """Return the text of a message, which may be in parts."""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def error_answer(status: int, error: dict) -> web.Response:
    return web.json_response({"error": error}, status=status)
