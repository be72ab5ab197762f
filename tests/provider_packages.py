"""Asks providers by their own packages, and prints what came as {provider: {prompt: outcome}}, as JSON.

Run by a Python that has these packages: arguments are addresses, as openai=http://..., and then prompts. An
outcome has the text, and the mark by which the answer ended, or the exception.
"""

import asyncio
import json
import sys

import anthropic
import openai
from google import genai

KEY = "sk-secret-of-the-site"
SILENT = ("fake:hang", "fake:stall", "fake:limited_long")  # asked last, with less patience


def clients(addresses, timeout):
    options = {"api_key": KEY, "max_retries": 1, "timeout": timeout}
    base, _, version = addresses["gemini"].rpartition("/")
    http = genai.types.HttpOptions(base_url=base, api_version=version, timeout=timeout * 1000)
    return {
        "openai": openai.AsyncOpenAI(base_url=addresses["openai"], **options),
        "anthropic": anthropic.AsyncAnthropic(base_url=addresses["anthropic"], **options),
        "gemini": genai.Client(api_key=KEY, http_options=http),
    }


async def ask_openai(client, prompt, answer):
    asked = {"model": "fake", "input": prompt, "max_output_tokens": 100, "store": False}
    async with await client.responses.create(**asked, stream=True) as events:
        async for event in events:
            if event.type == "response.output_text.delta":
                answer["text"] += event.delta
            elif event.type in ("response.completed", "response.incomplete", "response.failed"):
                answer["end"] = event.response.status
                if usage := event.response.usage:
                    answer["tokens"] = [usage.input_tokens, usage.output_tokens]


async def ask_anthropic(client, prompt, answer):
    asked = [{"role": "user", "content": prompt}]
    async with client.messages.stream(model="fake", max_tokens=100, messages=asked) as events:
        async for text in events.text_stream:
            answer["text"] += text
        message = events.current_message_snapshot
        answer["end"] = message.stop_reason
        answer["tokens"] = [message.usage.input_tokens, message.usage.output_tokens]


async def ask_gemini(client, prompt, answer):
    async for chunk in await client.aio.models.generate_content_stream(model="fake", contents=prompt):
        answer["text"] += chunk.text or ""
        for candidate in chunk.candidates or ():
            if candidate.finish_reason:
                answer["end"] = candidate.finish_reason.value
        if usage := chunk.usage_metadata:
            answer["tokens"] = [usage.prompt_token_count, usage.candidates_token_count]


async def outcome(name, client, prompt, patience):
    answer = {"text": "", "end": None}
    try:
        async with asyncio.timeout(patience):
            await globals()[f"ask_{name}"](client, prompt, answer)
    except TimeoutError:
        answer["end"] = "waits"
    except Exception as error:
        answer["end"] = type(error).__name__
    return answer


async def main():
    addresses = dict(word.split("=", 1) for word in sys.argv[1:] if "=http" in word)
    prompts = [word for word in sys.argv[1:] if "=http" not in word]
    answers = {name: dict.fromkeys(prompts) for name in addresses}
    for last, timeout, patience in ((False, 30, 60), (True, 1, 6)):
        pairs = [(name, prompt) for name in addresses for prompt in prompts if (prompt in SILENT) == last]
        by_name = clients(addresses, timeout)
        found = await asyncio.gather(
            *(outcome(name, by_name[name], prompt, patience) for name, prompt in pairs)
        )
        for (name, prompt), answer in zip(pairs, found, strict=True):
            answers[name][prompt] = answer
    print(json.dumps(answers))


asyncio.run(main())
