"""Asks providers by a project's own clients, and prints what came as {provider: {prompt: outcome}}, as JSON.

Run by a project's Python: arguments are addresses, as openai=http://..., and then prompts. An outcome has the
text and how it ended, and what of tokens the provider tells.
"""

import asyncio
import json
import sys
from contextlib import aclosing

import msgspec
from django.conf import settings
from django.utils.module_loading import import_string
from integrations.llm import http
from integrations.llm.provider import Finished, Message, ProviderError
from realtime.loops import close

KEY = "sk-secret-of-the-site"
SILENT = ("fake:hang", "fake:stall")  # asked last, with less patience


class Form(msgspec.Struct):
    title: str
    tags: list[str]


async def ask(provider, prompt):
    text = ""
    try:
        if prompt == "form":
            return {"text": str(await provider.complete(prompt, Form, max_tokens=100)), "end": "stop"}
        async with aclosing(provider.stream([Message("user", prompt)], max_tokens=100)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Finished):
                    tokens = [piece.usage.input_tokens, piece.usage.output_tokens]
                    return {"text": text, "end": piece.reason, "tokens": tokens}
                text += piece
    except ProviderError as error:
        print(repr(error))  # for the key is not to be in it
        return {"text": text, "end": error.code}


async def main():
    addresses = dict(word.split("=", 1) for word in sys.argv[1:] if "=http" in word)
    prompts = [word for word in sys.argv[1:] if "=http" not in word]
    answers = {name: dict.fromkeys(prompts) for name in addresses}
    providers = [
        import_string(settings.CHAT_MODELS[name]["class"])(name, key=KEY, base_url=url, model="fake")
        for name, url in addresses.items()
    ]
    for last in (False, True):
        asked = [prompt for prompt in prompts if (prompt in SILENT) == last]
        pairs = [(provider, prompt) for provider in providers for prompt in asked]
        for (provider, prompt), answer in zip(
            pairs, await asyncio.gather(*(ask(*pair) for pair in pairs)), strict=True
        ):
            answers[provider.name][prompt] = answer
        http.FIRST_BYTE = http.BETWEEN_EVENTS = 1
    await close()
    print(json.dumps(answers))


asyncio.run(main())
