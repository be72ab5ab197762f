"""The providers that are set up: those in `settings.CHAT_MODELS`, a client of each for an event loop."""

from django.conf import settings
from django.utils.module_loading import import_string

from integrations.llm.provider import Provider
from realtime.loops import per_loop

ECHO = "integrations.llm.echo.Echo"


class Providers(dict[str, Provider]):
    """The providers of one event loop, by their names; each may have an `aclose()`."""

    def __init__(self):
        for name, options in offered().items():
            arguments = {key: value for key, value in options.items() if key != "class"}
            self[name] = import_string(options["class"])(name, **arguments)

    async def aclose(self) -> None:
        for provider in self.values():
            if hasattr(provider, "aclose"):
                await provider.aclose()


def offered() -> dict[str, dict]:
    """Return what is set up of each provider that can answer: one that lacks its key cannot."""
    models = settings.CHAT_MODELS.items()
    return {name: options for name, options in models if options.get("key", "none needed")}


def default_names() -> list[str]:
    """The names of those that answer when nobody says which: all that think, or if none does, the echoes."""
    models = offered()
    return [name for name, options in models.items() if options["class"] != ECHO] or list(models)


get_providers = per_loop(Providers)
for options in offered().values():
    import_string(options["class"])  # now, since sockets may not wait for it later
