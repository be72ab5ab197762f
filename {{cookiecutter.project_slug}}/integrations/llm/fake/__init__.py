"""A server that plays the providers, for tests and for work without keys: see __main__.py.

It streams the words of a short answer. A prompt that holds `fake:cut`, or another of the modes below, gets
what real providers do on bad days.
"""

import asyncio
import re
from collections import Counter
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from aiohttp import web

WORDS = "It is a fake that says this, word by word."
STATUS = {
    "refused_key": 401,
    "unknown_model": 404,
    "limited": 429,  # with Retry-After, as the next ones
    "limited_once": 429,  # and then an answer
    "limited_long": 429,
    "unavailable": 503,
    "unavailable_once": 503,
    "overloaded": 529,
    "moved": 307,
}
MODES = [
    *STATUS,
    "ok",
    "says",  # what follows, to the end of the line
    "slow",  # 200 words, 20 ms apart
    "length",  # ends at max_tokens
    "refusal",  # ends since the model does not want to
    "hang",  # before it answers
    "stall",  # in the middle
    "cut",  # in the middle
    "cut_early",  # before the first word
    "truncated",  # a proper end of the connection, but not of the answer
    "error",  # instead of the rest
    "error_early",
    "limit_early",
    "rubbish",
    "page",  # HTML, as from a proxy that wants a login
]


class Fake:
    """A fake on a free port, or on that one; counts what happens to it.

    `open` is how many answers are being given, `broken_off` how many were not wanted to their end.
    """

    def __init__(self, port: int = 0, retry_after: str = "1"):
        self.port, self.retry_after = port, retry_after
        self.requests = self.open = self.broken_off = 0
        self.body: dict = {}  # of the last request
        self.asked: Counter = Counter()

    async def __aenter__(self):
        app = web.Application(client_max_size=2**22)
        for name in dialects():
            app.router.add_post(import_module(f"{__name__}.{name}").PATH, self.answer)
        app.router.add_get("/stats", self.stats)
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self.runner.addresses[0][1]
        return self

    async def __aexit__(self, *error):
        await self.runner.cleanup()

    def base_url(self, name: str) -> str:
        """Return the address by which that provider is played."""
        return f"http://127.0.0.1:{self.port}{dialect(name).BASE}"

    async def stats(self, request):
        return web.json_response(
            {"requests": self.requests, "open": self.open, "broken_off": self.broken_off}
        )

    async def answer(self, request):
        name = next(name for name in dialects() if re.match(dialect(name).MATCH, request.path))
        own, body = dialect(name), await request.json()
        self.requests += 1
        self.body = body
        self.open += 1
        try:
            if problem := own.refuse(request.headers, body):
                return own.problem(400, problem, "no key")
            return await self.play(request, own, body)
        except (asyncio.CancelledError, ConnectionError):
            self.broken_off += 1
            raise
        finally:
            self.open -= 1

    async def play(self, request, own, body):
        prompt = own.prompt(body)
        mode, says = (re.findall(r"fake:(\w+) ?(.*)", prompt) or [("ok", "")])[-1]
        if mode.endswith("_once"):
            self.asked[own.PATH, prompt] += 1
        if mode in STATUS and self.asked[own.PATH, prompt] % 2 == (1 if mode.endswith("_once") else 0):
            response = own.problem(STATUS[mode], mode, own.key(request.headers))
            if mode.startswith("limited"):
                response.headers["Retry-After"] = "3600" if mode == "limited_long" else self.retry_after
            if mode == "moved":
                response.headers["Location"] = "/stats"
            return response
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode == "page":
            return web.Response(text="<p>Log in", content_type="text/html")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await self.words(request, response, own, mode, says)
        return response

    async def words(self, request, response, own, mode, says):
        text = {"says": says, "slow": "word " * 200}.get(mode, WORDS)
        words = re.findall(r"\s*\S+|\s+$", text)
        if mode == "cut_early":
            return request.transport.abort()
        if mode.endswith("_early"):
            return await response.write(own.error("limited" if mode == "limit_early" else "broken", "a key"))
        await response.write(own.begin())
        for number, word in enumerate(words):
            if number == 4 and mode == "stall":
                await asyncio.sleep(3600)
            if number == 4 and mode == "cut":
                return request.transport.abort()
            if number == 4 and mode == "truncated":
                return None
            if number == 4 and mode == "error":
                return await response.write(own.error("broken", own.key(request.headers)))
            if number == 4 and mode == "rubbish":
                await response.write(b'data: {"a": \n\n')
            await asyncio.sleep(0.02 if mode == "slow" else 0)
            await response.write(own.piece(number, word))
        reason = mode if mode in ("length", "refusal") else "stop"
        await response.write(own.end(reason, len(words)))
        return None


def dialects() -> list[str]:
    """Return the names of the providers that it plays."""
    return [module.name for module in iter_modules(__path__) if module.name not in ("__main__", "events")]


def dialect(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
