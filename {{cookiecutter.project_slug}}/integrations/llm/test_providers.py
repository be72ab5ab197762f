"""Each provider that is set up here, against the fake."""

import asyncio
import logging
from contextlib import aclosing

import msgspec
import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from integrations.llm import http
from integrations.llm.fake import WORDS, Fake, dialects
from integrations.llm.provider import Finished, Message, ProviderError, Usage
from realtime.loops import close

KEY = "sk-secret_of_this_site"

FAILURES = [  # mode, code, requests
    ("limited", "rate_limited", 3),
    ("limited_long", "rate_limited", 1),
    ("unavailable", "provider_error", 3),
    ("overloaded", "provider_error", 3),
    ("refused_key", "bad_key", 1),
    ("unknown_model", "provider_error", 1),
    ("moved", "provider_error", 1),
    ("hang", "provider_timeout", 1),
    ("stall", "provider_timeout", 1),
    ("cut", "provider_broke_off", 1),
    ("cut_early", "provider_broke_off", 3),
    ("truncated", "provider_broke_off", 1),
    ("error", "provider_error", 1),
    ("error_early", "provider_error", 3),
    ("limit_early", "rate_limited", 3),
    ("rubbish", "provider_error", 1),
    ("page", "provider_error", 1),
]


class Form(msgspec.Struct):
    title: str
    tags: list[str] = []


@pytest.fixture
async def fake(monkeypatch):
    monkeypatch.setattr(http, "BACKOFF", 0.01)
    async with Fake(retry_after="0.01") as server:
        yield server
        await close()


@pytest.fixture(params=dialects())
def provider(request, fake):
    options = settings.CHAT_MODELS[request.param]
    url = fake.base_url(request.param)
    return import_string(options["class"])(request.param, key=KEY, base_url=url, model="fake")


async def ask(provider, *texts, max_tokens=50):
    """Return the answer's pieces; the texts are the user's and the model's by turns."""
    roles = ["user", "assistant"] * len(texts)
    messages = [Message(role, text) for role, text in zip(roles, texts, strict=False)]
    async with aclosing(provider.stream(messages, max_tokens=max_tokens)) as pieces:
        return [piece async for piece in pieces]


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not so within 10 s")


async def test_an_answer_comes_in_pieces(provider, fake):
    *pieces, end = await ask(provider, "Who are you?", "A fake.", "", "", "And now?")
    assert len(pieces) > 5
    assert "".join(pieces) == WORDS
    assert end == Finished("stop", Usage(7, len(pieces)))
    assert (fake.requests, fake.broken_off) == (1, 0)


@pytest.mark.parametrize(("mode", "reason"), [("length", "length"), ("refusal", "refused")])
async def test_why_an_answer_ends(provider, mode, reason):
    assert (await ask(provider, f"fake:{mode}"))[-1].reason == reason


@pytest.mark.parametrize("mode", ["limited_once", "unavailable_once"])
async def test_what_passes_is_tried_again(provider, fake, mode):
    *pieces, _ = await ask(provider, f"fake:{mode}")
    assert ("".join(pieces), fake.requests) == (WORDS, 2)


@pytest.mark.parametrize(("mode", "code", "requests"), FAILURES)
async def test_what_goes_wrong(provider, fake, caplog, monkeypatch, mode, code, requests):
    caplog.set_level(logging.DEBUG)
    for limit in ("FIRST_BYTE", "BETWEEN_EVENTS") if code == "provider_timeout" else ():
        monkeypatch.setattr(http, limit, 0.1)
    with pytest.raises(ProviderError) as caught:
        await ask(provider, f"fake:{mode}")
    assert (caught.value.code, fake.requests) == (code, requests)
    assert caught.value.detail.startswith(provider.name)
    (line,) = (record.getMessage() for record in caplog.records if record.name == http.__name__)
    assert line.startswith(f"{provider.name}: {code}: ")
    assert KEY not in caplog.text + repr(caught.value)
    await until(lambda: fake.open == 0)


async def test_who_does_not_want_the_rest_ends_it(provider, fake):
    task = asyncio.create_task(ask(provider, "fake:slow"))
    await until(lambda: fake.open == 1)
    task.cancel()
    await until(lambda: fake.broken_off == 1 and fake.open == 0)
    async with aclosing(provider.stream([Message("user", "fake:slow")], max_tokens=500)) as pieces:
        assert await anext(pieces) == "word"
    await until(lambda: fake.broken_off == 2 and fake.open == 0)


async def test_nobody_listens(provider, fake):
    provider._base_url = "http://127.0.0.1:1"
    with pytest.raises(ProviderError) as caught:
        await ask(provider, "Hello")
    assert caught.value.code == "provider_unreachable"


async def test_a_form_is_filled_in(provider, fake):
    prompt = 'fake:says {"title": "One", "tags": ["a"]}'
    assert await provider.complete(prompt, Form, max_tokens=50) == Form("One", ["a"])
    assert '"additionalProperties": false' in msgspec.json.encode(fake.body).decode().replace(":", ": ")


@pytest.mark.parametrize("prompt", ['fake:says {"title": 1}', "fake:says no", "fake:length", "fake:refusal"])
async def test_a_form_that_is_not_filled_in(provider, prompt):
    with pytest.raises(ProviderError) as caught:
        await provider.complete(prompt, Form, max_tokens=50)
    assert caught.value.code == "provider_error"


def test_a_schema_wants_each_field_and_no_other():
    schema = http.json_schema(Form)
    assert schema["required"] == ["title", "tags"]
    assert schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert schema["additionalProperties"] is False
