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

KEY, LIMIT = "sk-secret-of-the-site", 1  # seconds


async def ask_openai(url, prompt, answer):
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=1, timeout=LIMIT) as client:
        async with await client.responses.create(
            model="fake", input=prompt, max_output_tokens=100, store=False, stream=True
        ) as events:
            async for event in events:
                if event.type == "response.output_text.delta":
                    answer["text"] += event.delta
                elif event.type in ("response.completed", "response.incomplete", "response.failed"):
                    answer["end"] = event.response.status
                    if usage := event.response.usage:
                        answer["tokens"] = [usage.input_tokens, usage.output_tokens]


async def ask_anthropic(url, prompt, answer):
    async with anthropic.AsyncAnthropic(api_key=KEY, base_url=url, max_retries=1, timeout=LIMIT) as client:
        asked = [{"role": "user", "content": prompt}]
        async with client.messages.stream(model="fake", max_tokens=100, messages=asked) as events:
            async for text in events.text_stream:
                answer["text"] += text
            message = events.current_message_snapshot
            answer["end"] = message.stop_reason
            answer["tokens"] = [message.usage.input_tokens, message.usage.output_tokens]


async def ask_gemini(url, prompt, answer):
    base, _, version = url.rpartition("/")
    options = genai.types.HttpOptions(base_url=base, api_version=version, timeout=LIMIT * 1000)
    client = genai.Client(api_key=KEY, http_options=options)
    async for chunk in await client.aio.models.generate_content_stream(model="fake", contents=prompt):
        answer["text"] += chunk.text or ""
        for candidate in chunk.candidates or ():
            if candidate.finish_reason:
                answer["end"] = candidate.finish_reason.value
        if usage := chunk.usage_metadata:
            answer["tokens"] = [usage.prompt_token_count, usage.candidates_token_count]


async def outcome(name, url, prompt):
    answer = {"text": "", "end": None}
    try:
        async with asyncio.timeout(6 * LIMIT):
            await globals()[f"ask_{name}"](url, prompt, answer)
    except TimeoutError:
        answer["end"] = "hangs"
    except Exception as error:
        answer["end"] = type(error).__name__
        answer["error"] = str(error)[:200]
    return answer


async def main():
    addresses = dict(word.split("=", 1) for word in sys.argv[1:] if "=http" in word)
    prompts = [word for word in sys.argv[1:] if "=http" not in word]
    pairs = [(name, prompt) for name in addresses for prompt in prompts]
    outcomes = await asyncio.gather(*(outcome(name, addresses[name], prompt) for name, prompt in pairs))
    found = dict(zip(pairs, outcomes, strict=True))
    print(json.dumps({name: {prompt: found[name, prompt] for prompt in prompts} for name in addresses}))


asyncio.run(main())
