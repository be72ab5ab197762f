"""What pages of rooms show and do, whether Django's templates make them or a front end that asks for JSON."""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts import throttle
from rooms import invitations
from rooms.forms import InvitationForm, RoomForm
from rooms.models import Message, Room

HISTORY = 50  # messages that the page of a room begins with


def rooms_for(user) -> QuerySet[Room]:
    """The rooms that a user may enter."""
    return Room.objects.for_user(user).filter(admits_user=True)


def entered(user, slug: str) -> Room:
    """The room, for a user who may enter it, though perhaps not yet: see `closed_because` and `must_wait`."""
    room = get_object_or_404(Room.objects.for_user(user), slug=slug)
    if not room.admits_user:
        raise PermissionDenied
    return room


def newest(room: Room) -> list[Message]:
    """The messages that the page of a room begins with, the newest last."""
    newest_first = room.messages.select_related("author").order_by("-pk")
    return list(newest_first[:HISTORY])[::-1]


def come_by_link(request: HttpRequest, slug: str) -> tuple[Room, bool, bool]:
    """Return a room, whether the link to it holds, and whether the user may enter; POST makes a member."""
    room = get_object_or_404(Room.objects.for_user(request.user), slug=slug)
    holds = invitations.holds(request.GET.get("invitation", ""), room)
    accepted = holds and request.method == "POST" and room.accept(request.user)
    return room, holds, accepted or room.admits_user


def hosted(user, slug: str) -> Room:
    """The room, for its host alone."""
    room = get_object_or_404(Room, slug=slug)
    if room.host_id != user.pk:
        raise PermissionDenied
    return room


def save(form: RoomForm) -> None:
    """Store what a host has changed, and only that: links may be withdrawn at the same time."""
    form.save(commit=False).save(update_fields=("is_open", *form.Meta.fields))


def count_invitation(request: HttpRequest) -> None:
    """Count one more name that a host tries; PermissionDenied if it is one too many."""
    throttle.take(request, "invited_by_user", str(request.user.pk))


def invite(room: Room, form: InvitationForm) -> str:
    """Make the user a member; return what is to be said of it."""
    room.members.add(form.user)
    return f"{form.user} is invited."


def withdraw(room: Room, username: str | None) -> str:
    """Withdraw a user's invitation, or, without a user, the links; return what is to be said of it."""
    if not username:
        room.withdraw()
        return "Earlier links lead nowhere now."
    user = get_object_or_404(room.members, username=username)
    room.withdraw(user)
    return f"{user} is not invited any more."
