"""The site under load: whether it agrees, and how it is asked for things."""

import json
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from django.core.signing import BadSignature, SignatureExpired

from accounts.challenge import HOLDS, read, sign
from loadtest.problems import NO_TLS, Failed, Problem, kind_of

PATIENCE = 10  # seconds without an answer after which a request has failed, as in static/realtime.js
CLOSE_SECONDS = 2  # for the site to answer a close frame
PATH = "/api/loadtest/"
AGREE = "set LOADTEST_TOKEN there and here to the same 32 or more random characters"


@dataclass
class Answer:
    status: int
    headers: Any
    cookies: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


class Site:
    """Use as `async with`. The facts are what it says of itself when it agrees."""

    facts: dict[str, Any]

    def __init__(self, url: str, certificates: Path | None):
        self.url, self.host = url, urlsplit(url).netloc
        try:
            self.ssl = ssl.create_default_context(cafile=certificates)
        except OSError as error:
            raise Problem(f"--ca: {certificates} holds no certificates: {error.strerror or error}.") from None

    async def __aenter__(self):
        self.http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self.ssl, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),  # each user has cookies of its own
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        )
        return self

    async def __aexit__(self, *exc_info):
        await self.http.close()

    async def request(self, method: str, path: str, **options) -> Answer:
        """Ask for something; follows no redirects. Raises Failed when nothing is answered."""
        try:
            async with self.http.request(method, self.url + path, allow_redirects=False, **options) as answer:
                cookies = {name: morsel.value for name, morsel in answer.cookies.items()}
                return Answer(answer.status, answer.headers, cookies, await answer.read())
        except (OSError, TimeoutError, aiohttp.ClientError) as error:
            raise Failed(kind_of(error)) from error

    async def open(self, path: str, query: dict[str, int], **proof) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket, as a page of the site does."""
        params = query | proof.pop("params", {})
        return await self.http.ws_connect(
            self.url + path,
            params=params,
            origin=self.url,
            max_msg_size=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            **proof,
        )

    async def agree(self, token: str) -> None:
        """Have the site prove that it knows the token as well, or raise a Problem."""
        if not token:
            raise Problem(f"LOADTEST_TOKEN is not set here: {AGREE}, so that nobody else is put under load.")
        asked = {"host": self.host, "nonce": secrets.token_hex(16)}
        try:
            answer = await self.request("POST", PATH, data=sign(asked, "question", token))
        except Failed as failed:
            raise Problem(f"{self.url} does not answer: {failed}.{cure(str(failed))}") from None
        if answer.status in (301, 302, 307, 308):
            target = answer.headers.get("Location", "")[:200]
            raise Problem(f"{self.url} leads to {target}: give that site as --url.")
        if answer.status == 400:
            raise Problem(f"{self.url} refuses this address: is {self.host} in its ALLOWED_HOSTS?")
        if answer.status == 403:
            detail = answer.json().get("detail") or "HTTP 403"
            raise Problem(f"{self.url} does not agree to a load test: {detail}; {AGREE}.")
        try:
            self.facts = read(answer.body.decode(errors="replace"), "answer", token)
        except SignatureExpired:
            raise Problem(f"The clock of {self.url} and this one differ by more than {HOLDS} s.") from None
        except BadSignature:
            raise Problem(
                f"{self.url} does not agree to a load test (HTTP {answer.status}): if it is yours, {AGREE}."
            ) from None
        if {name: self.facts.get(name) for name in asked} != asked:
            raise Problem(f"{self.url} gives an answer to another question: somebody stands between.")


def cure(problem: str) -> str:
    if problem == NO_TLS:
        return " Give it as http://, if that is right."
    if problem.startswith("TLS"):
        return " --ca names a file with the certificate of who signed its own."
    return " Does it run, and is this its address? --url names another."
