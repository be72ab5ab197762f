"""The chat model of Anthropic."""

from marshmallow.validate import Length

from config.chat_models import CHAT_MODELS, address, key
from config.environment import env, read

__all__: list[str] = []  # this is a part of CHAT_MODELS

CHAT_MODELS["anthropic"] = {
    "class": "integrations.llm.anthropic.Anthropic",
    "key": read(
        key,
        "ANTHROPIC_API_KEY",
        "a key without spaces, for example ANTHROPIC_API_KEY=sk-ant-4f9c",
        default="",
    ),
    "base_url": read(
        address,
        "ANTHROPIC_BASE_URL",
        "an address such as https://api.anthropic.com",
        default="https://api.anthropic.com",
    ),
    "model": read(
        env.str,
        "ANTHROPIC_MODEL",
        "the name of a model, for example ANTHROPIC_MODEL=claude-opus-5-5",
        default="claude-opus-5-5",
        validate=Length(1, 100),  # as the database takes it
    ),
}
