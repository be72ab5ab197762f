"""Asks providers by a project's own clients, and prints what came as {provider: {prompt: outcome}}, as JSON.

Run by a project's Python in its folder: arguments are addresses, as openai=http://..., and then prompts. An
outcome has the text, how it ended, and the number of requests if the project's fake counts them.
"""

import asyncio
import json
import os
import sys
from contextlib import aclosing

sys.path.insert(0, str(os.getcwd()))  # noqa: PTH109
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

import msgspec
from django.conf import settings
from django.utils.module_loading import import_string

from integrations.llm import http
from integrations.llm.provider import Finished, Message, ProviderError
from realtime.loops import close

http.BACKOFF = 0.05
http.FIRST_BYTE = http.BETWEEN_EVENTS = 1
KEY = "sk-secret-of-the-site"


class Form(msgspec.Struct):
    title: str
    tags: list[str]


async def ask(provider, prompt):
    text, end = "", "no end"
    try:
        if prompt.startswith("form"):
            return {"text": str(await provider.complete(prompt, Form, max_tokens=100)), "end": "stop"}
        async with aclosing(provider.stream([Message("user", prompt)], max_tokens=100)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Finished):
                    end, usage = piece.reason, piece.usage
                    return {"text": text, "end": end, "tokens": [usage.input_tokens, usage.output_tokens]}
                text += piece
    except ProviderError as error:
        end = error.code
        assert KEY not in repr(error)
    return {"text": text, "end": end}


async def main():
    addresses = dict(word.split("=", 1) for word in sys.argv[1:] if "=http" in word)
    prompts = [word for word in sys.argv[1:] if "=http" not in word]
    kinds = {name: import_string(settings.CHAT_MODELS[name]["class"]) for name in addresses}
    providers = [
        kinds[name](name, key=KEY, base_url=url, model="fake") for name, url in addresses.items()
    ]
    outcomes = await asyncio.gather(*(ask(provider, prompt) for provider in providers for prompt in prompts))
    await close()
    found = iter(outcomes)
    print(json.dumps({provider.name: {prompt: next(found) for prompt in prompts} for provider in providers}))


asyncio.run(main())
