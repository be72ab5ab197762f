"""Prompts by POST, and their answers as server-sent events: what the WebSocket does, without one.

Plain Django views, so that they stream under every setting.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import wraps

import msgspec
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Q
from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from assistant import asking, storage
from assistant.models import ChatMessage, ChatSession
from assistant.sse import Stream
from config.json_views import Problem, identify, read, to_json
from realtime.database import in_database
from realtime.frames import FrameError
from realtime.hub import get_hub

STATUS = {"not_found": 404, "too_many_answers": 429, "away": 503}  # of what `asking` raises; else 400

streams: Counter[int] = Counter()  # open ones, by user, in this process


class Prompt(msgspec.Struct):
    """What is asked, of whom (by default all that are set up), and where; without a session in a new one."""

    message: str
    session_id: int | None = None
    providers: list[str] | None = None


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
                return await view(request, await in_database(identify)(request), **arguments)
            except Problem as problem:
                return to_json(problem.content, problem.status)
            except FrameError as error:
                return to_json({"code": error.code, "detail": error.detail}, STATUS.get(error.code, 400))
            except OSError:
                detail = "Something is wrong on the server; try again later"
                return to_json({"code": "try_again_later", "detail": detail}, 503)

        return checked

    return decorate


@for_users("POST")
async def ask(request, user):
    """Ask, and stream the answers."""
    check_open(user)
    prompt = read(request, Prompt, "invalid_message")
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
    return to_json({"message_id": message_id})


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
