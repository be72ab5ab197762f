"""The providers that are set up: those in `settings.CHAT_MODELS`, a client of each for an event loop."""

from django.conf import settings
from django.utils.module_loading import import_string

from integrations.llm.provider import Provider
from realtime.loops import per_loop

ECHO = "integrations.llm.echo.Echo"


def offered() -> dict[str, dict]:
    """Return what is set up of each provider that can answer: one that lacks its key cannot."""
    models = settings.CHAT_MODELS.items()
    return {name: options for name, options in models if options.get("key", "none needed")}


def _make() -> dict[str, Provider]:
    return {
        name: import_string(options["class"])(name, **{k: v for k, v in options.items() if k != "class"})
        for name, options in offered().items()
    }


get_providers = per_loop(_make)


def default_names() -> list[str]:
    """The names of those that answer when nobody says which: all that think for themselves, else the echo."""
    return [name for name, options in offered().items() if options["class"] != ECHO] or ["echo"]
