from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from accounts import throttle
from rooms import invitations
from rooms.forms import InvitationForm, RoomForm
from rooms.models import Room

HISTORY = 50  # messages that the page of a room begins with


@login_required
def index(request):
    """The rooms that a user may enter; POST makes a new one."""
    form = RoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        room = Room.objects.create_named(form.save(commit=False), request.user)
        return redirect("rooms:room" if room.is_open else "rooms:host", room.slug)
    rooms = Room.objects.for_user(request.user).filter(admits_user=True)
    return render(request, "rooms/index.html", {"rooms": rooms, "form": form})


@login_required
def room(request, room_id):
    room = get_object_or_404(Room.objects.for_user(request.user), slug=room_id)
    if not room.admits_user:
        raise PermissionDenied
    context = {"room": room, "is_host": room.host_id == request.user.pk}
    if room.closed_because or room.must_wait:
        return render(request, "rooms/door.html", context)
    newest_first = room.messages.select_related("author").order_by("-pk")
    return render(request, "rooms/room.html", context | {"chat_messages": list(newest_first[:HISTORY])[::-1]})


@login_required
def join(request, room_id):
    """Where a link that invites leads to; POST makes the user a member."""
    room = get_object_or_404(Room.objects.for_user(request.user), slug=room_id)
    holds = invitations.holds(request.GET.get("invitation", ""), room)
    accepted = holds and request.method == "POST" and room.accept(request.user)
    if accepted or room.admits_user:
        return redirect("rooms:room", room.slug)
    context = {"room": room if holds else None}
    return render(request, "rooms/join.html", context, status=200 if holds else 403)


@login_required
def host(request, room_id):
    """What the host of a room sees to: when it is open, and for whom."""
    room = hosted(request, room_id)
    form = RoomForm(request.POST or None, instance=room)
    if request.method == "POST" and form.is_valid():
        # Only these: links may be withdrawn at the same time.
        form.save(commit=False).save(update_fields=("is_open", *form.Meta.fields))
        messages.success(request, "Saved.")
        return redirect("rooms:host", room.slug)
    return host_page(request, hosted(request, room_id), form=form)


@login_required
@require_POST
@throttle.limited
def invite(request, room_id):
    room = hosted(request, room_id)
    throttle.take(request, "invited_by_user", str(request.user.pk))
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return host_page(request, room, invitation_form=form)
    room.members.add(form.user)
    messages.success(request, f"{form.user} is invited.")
    return redirect("rooms:host", room.slug)


@login_required
@require_POST
def withdraw(request, room_id):
    """Withdraw a user's invitation, or, without a user, the links."""
    room = hosted(request, room_id)
    user, done = None, "Earlier links lead nowhere now."
    if name := request.POST.get("user"):
        user = get_object_or_404(room.members, username=name)
        done = f"{user} is not invited any more."
    room.withdraw(user)
    messages.success(request, done)
    return redirect("rooms:host", room.slug)


def hosted(request, room_id):
    room = get_object_or_404(Room, slug=room_id)
    if room.host_id != request.user.pk:
        raise PermissionDenied
    return room


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
