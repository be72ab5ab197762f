"""The chat model of Google."""

from marshmallow.validate import Length

from config.chat_models import CHAT_MODELS, address, key
from config.environment import env, read

__all__: list[str] = []  # this is a part of CHAT_MODELS

CHAT_MODELS["gemini"] = {
    "class": "integrations.llm.gemini.Gemini",
    "key": read(
        key, "GEMINI_API_KEY", "a key without spaces, for example GEMINI_API_KEY=AIza4f9c", default=""
    ),
    "base_url": read(
        address,
        "GEMINI_BASE_URL",
        "an address such as https://generativelanguage.googleapis.com/v1",
        default="https://generativelanguage.googleapis.com/v1",
    ),
    "model": read(
        env.str,
        "GEMINI_MODEL",
        "the name of a model, for example GEMINI_MODEL=gemini-3.8-flash",
        default="gemini-3.8-flash",
        validate=Length(1, 100),  # as the database takes it
    ),
}
