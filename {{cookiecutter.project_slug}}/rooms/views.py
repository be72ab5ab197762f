from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from accounts import throttle
from rooms import invitations, pages
from rooms.forms import InvitationForm, RoomForm
from rooms.models import Room


@login_required
def index(request):
    """The rooms that a user may enter; POST makes a new one."""
    form = RoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        room = Room.objects.create_named(form.save(commit=False), request.user)
        return redirect("rooms:room" if room.is_open else "rooms:host", room.slug)
    return render(request, "rooms/index.html", {"rooms": pages.rooms_for(request.user), "form": form})


@login_required
def room(request, room_id):
    room = pages.entered(request.user, room_id)
    context = {"room": room, "is_host": room.host_id == request.user.pk}
    if room.closed_because or room.must_wait:
        return render(request, "rooms/door.html", context)
    return render(request, "rooms/room.html", context | {"chat_messages": pages.newest(room)})


@login_required
def join(request, room_id):
    """Where a link that invites leads to; POST makes the user a member."""
    room, holds, inside = pages.come_by_link(request, room_id)
    if inside:
        return redirect("rooms:room", room.slug)
    context = {"room": room if holds else None}
    return render(request, "rooms/join.html", context, status=200 if holds else 403)


@login_required
def host(request, room_id):
    """What the host of a room sees to: when it is open, and for whom."""
    room = pages.hosted(request.user, room_id)
    form = RoomForm(request.POST or None, instance=room)
    if request.method == "POST" and form.is_valid():
        pages.save(form)
        messages.success(request, "Saved.")
        return redirect("rooms:host", room.slug)
    return host_page(request, pages.hosted(request.user, room_id), form=form)


@login_required
@require_POST
@throttle.limited
def invite(request, room_id):
    room = pages.hosted(request.user, room_id)
    pages.count_invitation(request)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return host_page(request, room, invitation_form=form)
    messages.success(request, pages.invite(room, form))
    return redirect("rooms:host", room.slug)


@login_required
@require_POST
def withdraw(request, room_id):
    """Withdraw a user's invitation, or, without a user, the links."""
    room = pages.hosted(request.user, room_id)
    messages.success(request, pages.withdraw(room, request.POST.get("user")))
    return redirect("rooms:host", room.slug)


def host_page(request, room, **forms):
    query = urlencode({"invitation": invitations.sign(room)})
    context = {
        "room": room,
        "form": RoomForm(instance=room),
        "invitation_form": InvitationForm(),
        "members": room.members.order_by("username"),
        "link": request.build_absolute_uri(f"{resolve_url('rooms:join', room.slug)}?{query}"),
        "link_ends": timezone.now() + invitations.LIFETIME,
    }
    return render(request, "rooms/host.html", context | forms)
