import msgspec
from django.utils import timezone

from config.json_views import Problem, json_view, read, read_form
from rooms import invitations, pages
from rooms.consumers import to_frame
from rooms.forms import InvitationForm, RoomForm
from rooms.models import Room


class Withdrawal(msgspec.Struct):
    user: str | None = None


@json_view("GET", "POST")
def index(request):
    """The rooms that a user may enter; POST makes a new one."""
    if request.method == "POST":
        form = read_form(request, RoomForm)
        return described(Room.objects.create_named(form.save(commit=False), request.user), request.user)
    return [described(room, request.user) for room in pages.rooms_for(request.user)]


@json_view("GET")
def room(request, room_id):
    """A room and its newest messages, as they come through the socket; none for who has to stay outside."""
    room = pages.entered(request.user, room_id)
    outside = room.closed_because or room.must_wait
    return described(room, request.user) | {
        "closed_because": room.closed_because,
        "must_wait": room.must_wait,
        "messages": [] if outside else list(map(to_frame, pages.newest(room))),
    }


@json_view("GET", "POST")
def join(request, room_id):
    """Where a link that invites leads to; POST makes the user a member."""
    room, holds, inside = pages.come_by_link(request, room_id)
    if not (holds or inside):
        raise Problem(403, "not_allowed", "This invitation does not hold any more")
    host = room.host.get_username() if room.host else None
    return {"slug": room.slug, "name": room.name, "host": host, "inside": inside}


@json_view("GET", "POST")
def host(request, room_id):
    """What the host of a room sees to: when it is open, and for whom."""
    room = pages.hosted(request.user, room_id)
    if request.method == "POST":
        pages.save(read_form(request, RoomForm, instance=room))
    return described(room, request.user) | {
        "waits": room.waits,
        "members": [member.get_username() for member in room.members.order_by("username")],
        "invitation": invitations.sign(room),
        "invitation_ends": timezone.now() + invitations.LIFETIME,
    }


@json_view("POST")
def invite(request, room_id):
    room = pages.hosted(request.user, room_id)
    pages.count_invitation(request)
    return {"detail": pages.invite(room, read_form(request, InvitationForm))}


@json_view("POST")
def withdraw(request, room_id):
    """Withdraw a user's invitation, or, without a user, the links."""
    room = pages.hosted(request.user, room_id)
    return {"detail": pages.withdraw(room, read(request, Withdrawal).user)}


def described(room, user):
    return {
        "slug": room.slug,
        "name": room.name,
        "is_open": room.is_open,
        "is_host": room.host_id == user.pk,
        "starts_at": room.starts_at,
        "ends_at": room.ends_at,
        "ended": room.ended,
    }
