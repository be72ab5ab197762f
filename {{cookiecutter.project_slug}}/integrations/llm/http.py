"""What providers have in common that stream their answers over HTTP, as server-sent events.

One pool of connections for an event loop, limits of time, what is tried again, and errors in words of our
own: what a provider sends may hold the key, so none of it reaches a user, and only its codes the log.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from itertools import dropwhile
from typing import NamedTuple

import aiohttp
import msgspec

from integrations.llm.forms import json_schema
from integrations.llm.provider import Finished, Message, ProviderError
from realtime.loops import per_loop

logger = logging.getLogger(__name__)

CONNECT = 5  # seconds, as all of these
FIRST_BYTE = 30  # of the head of an answer
BETWEEN_EVENTS = 60
WHOLE_FORM = 300
LONGEST_WAIT = 20  # that a provider may ask for before another attempt
BACKOFF = 0.5  # before the second attempt, and twice that before the next one
ATTEMPTS = 3  # and only one once there was text
LINE = 2**19  # bytes; a line may have twice as many, for a last event repeats the whole answer

CODE = "[A-Za-z_]{1,40}"  # what looks so is none of the secrets that a provider may repeat
LIMITED = ("rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED")
DETAILS = {
    "provider_unreachable": "{} cannot be reached. Try again in a minute.",
    "provider_timeout": "{} took too long. Try again.",
    "provider_broke_off": "{} broke off. Try again.",
    "provider_error": "{} could not answer. Try again, or ask another one.",
    "rate_limited": "{} takes no more questions right now. Try again in a minute.",
    "bad_key": "{} does not accept the key of this site. Its operator can mend that.",
}


class Connections:
    """The connections of an event loop to all providers."""

    def __init__(self):
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1000),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=LINE,
        )

    async def aclose(self) -> None:
        await self.session.close()


get_connections = per_loop(Connections)


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: dict


class Failure(Exception):
    """Why an attempt failed: a code, the cause for the log, and after what seconds another may succeed."""

    def __init__(self, code: str, cause: str, again: float | None = None):
        super().__init__(code, cause)
        self.code, self.cause, self.again = code, cause, again


class HttpProvider:
    """A chat model behind HTTP; a subclass knows its requests and its events."""

    variables = ""  # how the names of its variables begin

    def __init__(self, name: str, *, key: str, base_url: str, model: str):
        self.name = name
        self.model = model
        self._key = key
        self._base_url = base_url

    def request(self, messages: Sequence[Message], max_tokens: int, schema: dict | None) -> Request:
        """Return what asks for an answer, or with a JSON schema for a form."""
        raise NotImplementedError

    def reader(self) -> Callable[[bytes], Iterator[str | Finished]]:
        """Return what makes pieces of the events of one answer; it may raise `Failure`."""
        raise NotImplementedError

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[str | Finished]:
        return self._stream(messages, max_tokens, None)

    async def complete[T](self, prompt: str, form: type[T], *, max_tokens: int) -> T:
        text, reason = [], ""
        try:
            async with (
                asyncio.timeout(WHOLE_FORM),
                aclosing(self._stream([Message("user", prompt)], max_tokens, json_schema(form))) as pieces,
            ):
                async for piece in pieces:
                    if isinstance(piece, Finished):
                        reason = piece.reason
                    else:
                        text.append(piece)
        except TimeoutError:
            raise self._error(Failure("provider_timeout", f"no form within {WHOLE_FORM} s")) from None
        if reason != "stop":
            raise self._error(Failure("provider_error", f"the form ends by {reason}"))
        try:
            return msgspec.json.decode("".join(text), type=form)
        except (msgspec.MsgspecError, UnicodeError):
            raise self._error(Failure("provider_error", "the form is not filled in as asked")) from None

    async def _stream(self, messages, max_tokens, schema):
        said = list(dropwhile(lambda message: message.role == "assistant", filter(_has_text, messages)))
        request = self.request(said, max_tokens, schema)
        for attempt in range(ATTEMPTS):
            begun = False
            try:
                async with aclosing(self._attempt(request)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except Failure as failure:
                if begun or failure.again is None or attempt == ATTEMPTS - 1:
                    raise self._error(failure) from None
                pause = max(failure.again, BACKOFF * 2**attempt)
            await asyncio.sleep(pause)

    async def _attempt(self, request):
        read = self.reader()
        try:
            async with asyncio.timeout(FIRST_BYTE):
                response = await get_connections().session.post(
                    self._base_url + request.path,
                    json=request.body,
                    headers=request.headers,
                    allow_redirects=False,  # or the key goes wherever they lead
                    timeout=aiohttp.ClientTimeout(connect=CONNECT, sock_read=BETWEEN_EVENTS),
                )
            async with response:
                if response.status != 200:
                    raise await self._refusal(response)
                if response.content_type != "text/event-stream":
                    raise self._rubbish()
                async for line in response.content:
                    if line.startswith(b"data:") and line.endswith(b"\n"):
                        for piece in read(line[5:].strip()):
                            yield piece
                            if isinstance(piece, Finished):
                                await _read_rest(response)
                                return
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            cause = f"{type(error).__name__}; check {self.variables}_BASE_URL"
            raise Failure("provider_unreachable", cause, again=0) from None
        except TimeoutError:
            raise Failure("provider_timeout", "nothing came") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Failure("provider_broke_off", type(error).__name__, again=0) from None
        except (msgspec.MsgspecError, ValueError):
            raise self._rubbish() from None
        raise Failure("provider_broke_off", "the answer lacks its end", again=0)

    async def _refusal(self, response) -> Failure:
        """Return what is wrong by the status, with what looks like a code in the body."""
        body = b""
        with suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(CONNECT):
                body = await response.content.read(LINE)
        codes = re.findall(rf'"(?:code|reason|status|type)"\s*:\s*"({CODE})"', body.decode(errors="replace"))
        words = [word for word in dict.fromkeys(codes) if word not in self._key]
        cause = ", ".join([f"status {response.status}", *words])
        if response.status in (401, 403) or "API_KEY_INVALID" in words:
            return Failure("bad_key", f"{cause}; check {self.variables}_API_KEY")
        if response.status in (408, 429) or response.status >= 500:
            after = _wait_for(response)
            hopeless = after > LONGEST_WAIT or "insufficient_quota" in words
            kind = "rate_limited" if response.status == 429 else "provider_error"
            return Failure(kind, cause, again=None if hopeless else after)
        names = f"{self.variables}_MODEL and {self.variables}_BASE_URL"
        return Failure("provider_error", f"{cause}; check {names}")

    def _rubbish(self) -> Failure:
        return Failure("provider_error", f"it does not speak as it should; check {self.variables}_BASE_URL")

    def _error(self, failure: Failure) -> ProviderError:
        logger.warning("%s: %s: %s", self.name, failure.code, failure.cause)
        return ProviderError(failure.code, DETAILS[failure.code].format(self.name))


def failure_inside(code: str | None) -> Failure:
    """Return what is wrong by the code of an error that comes instead of the next piece of an answer."""
    word = code if code and re.fullmatch(CODE, code) else "error"
    return Failure("rate_limited" if word in LIMITED else "provider_error", f"{word} in the answer", again=0)


def _has_text(message: Message) -> bool:
    return bool(message.text.strip())


def _wait_for(response) -> float:
    """Return the seconds in Retry-After (RFC 9110); a date there is not looked at."""
    found = response.headers.get("Retry-After", "")
    return float(found) if re.fullmatch(r"\d{1,6}(\.\d+)?", found, re.ASCII) else 0


async def _read_rest(response) -> None:
    """Read to the end of what is said, so that the connection serves the next request."""
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(1):
            async for _ in response.content.iter_any():
                pass
