"""The chat models that answer, by the names that users and clients know them by."""

from config.environment import DEBUG

__all__ = ["CHAT_MODELS"]

CHAT_MODELS: dict[str, dict] = {"echo": {"class": "integrations.llm.echo.Echo"}}
if DEBUG:  # so that there are two to compare
    CHAT_MODELS["echo_slowly"] = {"class": "integrations.llm.echo.Echo", "model": "echo", "pause": 0.1}
