"""Which providers are offered, and what the echo says."""

from django.core.checks import run_checks

from integrations.llm import registry
from integrations.llm.echo import Echo
from integrations.llm.provider import Finished, Message, Usage


def test_one_without_a_key_is_not_offered(settings, transactional_db):  # which other checks ask
    settings.CHAT_MODELS = {
        "echo": {"class": registry.ECHO},
        "keyless": {"class": "x.Y", "key": ""},
        "keyed": {"class": "x.Y", "key": "a"},
        "own": {"class": "x.Y"},
    }
    assert list(registry.offered()) == ["echo", "keyed", "own"]
    assert registry.default_names() == ["keyed", "own"]
    (warning,) = (found for found in run_checks() if found.id == "integrations.W001")
    assert warning.msg.startswith("KEYLESS_API_KEY is not set")
    settings.CHAT_MODELS = {name: {"class": registry.ECHO} for name in ("echo", "echo_slowly")}
    assert registry.default_names() == ["echo", "echo_slowly"]


async def test_the_echo_says_what_it_was_told_up_to_its_limit():
    async def ask(text, max_tokens):
        return [piece async for piece in Echo(pause=0).stream([Message("user", text)], max_tokens=max_tokens)]

    whole = ["one", "  two", "\nthree", " ", Finished("stop", Usage(3, 4))]
    assert await ask("one  two\nthree ", 50) == whole
    assert await ask("one two three", 2) == ["one", " two", Finished("length", Usage(3, 2))]
