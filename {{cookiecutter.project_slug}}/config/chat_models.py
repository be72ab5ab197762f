"""The chat models that answer, by the names that users and clients know them by."""

CHAT_MODELS = {"echo": {"class": "integrations.llm.echo.Echo"}}
