"""The chat model of OpenAI, or of a server that speaks as it does, such as Ollama or vLLM."""

from marshmallow.validate import Length

from config.chat_models import CHAT_MODELS, address, key
from config.environment import env, read

__all__: list[str] = []  # this is a part of CHAT_MODELS

CHAT_MODELS["openai"] = {
    "class": "integrations.llm.openai.OpenAI",
    "key": read(
        key, "OPENAI_API_KEY", "a key without spaces, for example OPENAI_API_KEY=sk-4f9c", default=""
    ),
    "base_url": read(
        address,
        "OPENAI_BASE_URL",
        "an address such as https://api.openai.com/v1",
        default="https://api.openai.com/v1",
    ),
    "model": read(
        env.str,
        "OPENAI_MODEL",
        "the name of a model, for example OPENAI_MODEL=gpt-5.5",
        default="gpt-5.5",
        validate=Length(1, 100),  # as the database takes it
    ),
}
