"""The providers that are set up: those in `settings.CHAT_MODELS`, a client of each for an event loop."""

from django.conf import settings
from django.utils.module_loading import import_string

from integrations.llm.provider import Provider
from realtime.loops import per_loop


def _make() -> dict[str, Provider]:
    return {
        name: import_string(options["class"])(name, **{k: v for k, v in options.items() if k != "class"})
        for name, options in settings.CHAT_MODELS.items()
    }


get_providers = per_loop(_make)


def default_names() -> list[str]:
    """The names of those that answer when nobody says which: all with a key, else the echo."""
    return [name for name in settings.CHAT_MODELS if name != "echo"] or ["echo"]
