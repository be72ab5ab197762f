"""The chat models that fill in forms for problems."""

from typing import cast

from django.utils.module_loading import import_string

from integrations.llm.provider import StructuredProvider
from integrations.llm.registry import get_providers, offered


class NoAssistant(Exception):
    """There is no chat model of this name that fills in forms; says the cure."""

    code = "no_assistant"

    def __init__(self, name: str):
        detail = f"{name!r} is no chat model here that fills in forms. Set its key, or name another one: "
        super().__init__(detail + "see PROBLEMS_EXTRACTOR and PROBLEMS_SOLVER in .env.example.")
        self.detail = str(self)


def check(name: str) -> None:
    """Raise `NoAssistant` if there is no such model."""
    options = offered().get(name)
    if options is None or not hasattr(import_string(options["class"]), "complete"):
        raise NoAssistant(name)


async def ask[T](name: str, prompt: str, form: type[T], *, max_tokens: int) -> T:
    """Have a model fill in a form; raise `NoAssistant` or `ProviderError`."""
    check(name)
    return await cast(StructuredProvider, get_providers()[name]).complete(prompt, form, max_tokens=max_tokens)
