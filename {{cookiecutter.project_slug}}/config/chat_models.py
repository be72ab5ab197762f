"""The chat models that answer, by the names that users and clients know them by.

`class` is what answers, a `Provider` of integrations/llm/provider.py; the rest are its arguments. One with an
empty `key` is not offered.
"""

import re

from config.environment import DEBUG, env

__all__ = ["CHAT_MODELS"]


def key(name, **options):
    """Read a provider's key: nothing, or what may stand in a header."""
    found = env.str(name, **options)
    if not re.fullmatch(r"[!-~]*", found):
        raise ValueError(name)
    return found


def address(name, **options):
    """Read the address before a provider's paths."""
    found = env.str(name, **options)
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", found):
        raise ValueError(name)
    return found.rstrip("/")


CHAT_MODELS: dict[str, dict] = {"echo": {"class": "integrations.llm.echo.Echo"}}
if DEBUG:  # so that there are two to compare
    CHAT_MODELS["echo_slowly"] = {"class": "integrations.llm.echo.Echo", "model": "echo", "pause": 0.1}
