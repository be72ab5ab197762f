"""What an event holds, as pages show it."""

import json
from typing import Any


def to_text(data: Any) -> list[tuple[str, str]]:
    """Return pairs of texts; a template would take a key "items" for the method of that name."""
    if not isinstance(data, dict):  # the admin takes any JSON
        data = {"": data}
    return [
        (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for key, value in data.items()
    ]
