"""Prompts by POST, and their answers as server-sent events: what the WebSocket does, without one.

Plain Django views, so that they stream under every setting. Who asks has a session, or a bearer token where
sockets take one.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import wraps

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Q
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.csrf import csrf_exempt

from assistant import asking, storage
from assistant.models import ChatMessage, ChatSession
from assistant.sse import Stream
from realtime.auth import AUTHENTICATORS
from realtime.database import in_database
from realtime.frames import FrameError
from realtime.hub import get_hub

STATUS = {"not_found": 404, "too_many_answers": 429, "away": 503}  # of what `asking` raises; else 400

BEARER = [each for each in AUTHENTICATORS if each.scheme.get("scheme") == "bearer"]
streams: Counter[int] = Counter()  # open ones, by user, in this process


class Prompt(msgspec.Struct):
    """What is asked, of whom (by default all that are set up), and where; without a session in a new one."""

    message: str
    session_id: int | None = None
    providers: list[str] | None = None


class Problem(Exception):
    """The answer to a request that cannot be carried out."""

    def __init__(self, status: int, code: str, detail: str):
        super().__init__(status, code, detail)
        self.answer = JsonResponse({"code": code, "detail": detail}, status=status)


def for_users(method):
    """Make a view of one that gets the user, too, and may raise `Problem` or `FrameError`."""

    def decorate(view):
        @csrf_exempt  # the check is below: a token needs none
        @wraps(view)
        async def checked(request, **arguments):
            try:
                if not isinstance(request, ASGIRequest):
                    raise Problem(501, "not_supported", "Streams need ASGI; this is the WSGI server")
                if request.method != method:
                    raise Problem(405, "not_allowed", f"Only {method} is understood here")
                return await view(request, await identify(request), **arguments)
            except Problem as problem:
                return problem.answer
            except FrameError as error:
                answer = {"code": error.code, "detail": error.detail}
                return JsonResponse(answer, status=STATUS.get(error.code, 400))
            except OSError:
                detail = "Something is wrong on the server; try again later"
                return JsonResponse({"code": "try_again_later", "detail": detail}, status=503)

        return checked

    return decorate


async def identify(request):
    """Return who asks: by a bearer token if one is offered, else by the session, which must not be forged."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        for each in BEARER:
            if credentials := await in_database(each.read)(token):
                return credentials.user
        raise Problem(401, "not_authenticated", "The token is not, or no longer, valid")
    user = await request.auser()
    if user.is_anonymous:
        raise Problem(401, "not_authenticated", "Log in first")
    if await sync_to_async(CsrfViewMiddleware(refuse).process_view)(request, None, (), {}):
        raise Problem(403, "not_allowed", "The CSRF token is missing or wrong: send it as X-CSRFToken")
    return user


def refuse(request):
    raise PermissionDenied  # never called: the middleware is asked for its opinion only


@for_users("POST")
async def ask(request, user):
    """Ask, and stream the answers."""
    check_open(user)
    prompt = read(request)
    session = await get_session(user, prompt.session_id)
    try:
        _, answers = await asking.ask(session, prompt.message, prompt.providers)
    except FrameError:
        if prompt.session_id is None:
            await in_database(session.delete)()
        raise
    return EventStream(counted(user, Stream(session, answers)))


@for_users("GET")
async def resume(request, user, message_id):
    """Stream an answer, or all to a prompt, from where `Last-Event-ID` says, or from the beginning."""
    check_open(user)
    answers = await find_answers(user, message_id)
    if not answers:
        raise Problem(404, "not_found", "You have no such message")
    try:
        stream = Stream(answers[0].session, answers, request.headers.get("Last-Event-ID", ""))
    except ValueError as error:
        raise Problem(400, "invalid_message", f"Last-Event-ID: {error}") from None
    if not stream.progress.missing:
        return HttpResponse(status=204)  # upon which a browser does not come back
    return EventStream(counted(user, stream))


@for_users("POST")
async def stop(request, user, message_id):
    """End an answer where it is; returns when that is done."""
    await asking.stop(await asking.get_answer(user, message_id))
    return JsonResponse({"message_id": message_id})


def read(request) -> Prompt:
    try:
        return msgspec.json.decode(request.body, type=Prompt)
    except RequestDataTooBig:
        raise Problem(413, "too_big", "The request is too big") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Problem(400, "invalid_message", str(error)) from None


@in_database
def get_session(user, session_id: int | None) -> ChatSession:
    """Return a session of the user, or a new one."""
    if session_id is None:
        return ChatSession.objects.create(owner=user)
    session = storage.find_session(user, session_id)
    if session is None:
        raise Problem(404, "not_found", "You have no such session")
    return session


@in_database
def find_answers(user, message_id: int) -> list[ChatMessage]:
    """Return an answer, or all answers to a prompt, in a session of the user."""
    if message_id >= 2**63:  # which no database knows
        return []
    answers = ChatMessage.objects.select_related("session").filter(session__owner=user)
    return list(answers.filter(Q(pk=message_id, role=ChatMessage.Role.ASSISTANT) | Q(prompt=message_id)))


def check_open(user) -> None:
    """Refuse a stream that would be one too many, or that would have to end at once."""
    if get_hub().draining:
        raise Problem(503, "try_again_later", "The server restarts; come back in a moment")
    if streams[user.pk] >= settings.REALTIME["MAX_SOCKETS_PER_USER"]:
        raise Problem(429, "too_many", "You have too many streams open")


class EventStream(StreamingHttpResponse):
    """Events until the last one is sent or the client has left, whichever is first."""

    def __init__(self, events: AsyncGenerator[str]):
        super().__init__(events, content_type="text/event-stream")
        self.events, self.loop = events, asyncio.get_running_loop()
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"  # for proxies
        self["Content-Encoding"] = "identity"  # for GZipMiddleware, which in older versions holds events back

    def close(self):
        """End what was left in the middle, which waits for the next event to be wanted; Django calls this."""
        super().close()
        self.loop.call_soon_threadsafe(lambda: get_hub().spawn(self.events.aclose()))


async def counted(user, stream: Stream) -> AsyncGenerator[str]:
    """Yield events for as long as the user is logged in."""
    hub, began = get_hub(), asyncio.get_running_loop().time()
    streams[user.pk] += 1
    try:
        async with aclosing(stream.events()) as events:
            async for event in events:
                if hub.revocation.was_kicked(user.pk, began):
                    return
                yield event
    finally:
        streams[user.pk] -= 1
        if not streams[user.pk]:
            del streams[user.pk]
