"""What `manage.py test_websocket --room` asks: whether two in a room reach each other, as for a call."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from os import urandom
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from realtime.doctor import Doctor, log_in
from realtime.doctor_client import SECONDS, Problem, Site
from rooms.models import Room


def add_arguments(parser: Any) -> None:
    help = "a room in which two are to exchange what a call begins with"
    parser.add_argument("--room", metavar="ID", default="", help=help)


def site_checks(doctor: Doctor, room: str = "", **options: Any) -> dict[str, Callable[[], str]]:
    return {f"signals in {room}": partial(signals, doctor.site, room)} if room else {}


def signals(site: Site, slug: str) -> str:
    """Have one offer and the other answer; there is no connection between the two."""
    caller, callee = two_users(open_room(slug))
    with ExitStack() as stack:
        one, two = [stack.enter_context(inside(site, slug, user)) for user in (caller, callee)]
        start = time.monotonic()
        for sender, receiver, to, kind in ((one, two, callee, "offer"), (two, one, caller, "answer")):
            # No page of theirs takes it for its own: none has this connection.
            signal = {"connection": urandom(8).hex(), "description": {"type": kind, "sdp": "v=0\r\n"}}
            sender.socket.send(json.dumps({"type": "webrtc_signal", "to": to.pk, "signal": signal}))
            try:
                while receiver.receive("webrtc_signal")["signal"] != signal:
                    pass
            except TimeoutError:
                cure = "Its log says why; `event from here` above, whether events travel at all."
                raise Problem(f"the {kind} did not arrive within {SECONDS} s. {cure}") from None
        return f"ok, {caller} offered and {callee} answered in {(time.monotonic() - start) * 1000:.0f} ms"


def open_room(slug: str) -> Room:
    room = Room.objects.filter(slug=slug).first()
    if room is None:
        raise Problem("there is no such room. Give what stands in its address, such as --room lobby.")
    if room.closed_because:
        raise Problem(f"{room.closed_because}. Give another --room, or change that one.")
    return room


def two_users(room: Room) -> tuple[Any, Any]:
    """Find two who may come in and need not wait."""
    users = get_user_model().objects.filter(is_active=True)
    host = Q(pk=room.host_id)
    if not room.is_open:
        users = users.filter(host | Q(rooms=room))
    if room.waits and room.host_id:
        users = users.filter(host | Q(pk__in=room.admissions.values("user")))
    one, two, *_ = [*users.distinct().order_by("pk")[:2], None, None]
    if two is None:
        raise Problem("fewer than two users may come in without waiting. Invite or admit another one.")
    return one, two


@contextmanager
def inside(site: Site, slug: str, user: Any) -> Iterator[Site]:
    """Open a socket in a room."""
    guest = Site(site.url)
    guest.open(f"/ws/rooms/{slug}/", site.origin(site.secure), log_in(user))
    with guest.socket:
        guest.receive("connection_established")
        yield guest
