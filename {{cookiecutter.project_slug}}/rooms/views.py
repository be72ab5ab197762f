from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.forms import modelform_factory
from django.shortcuts import get_object_or_404, redirect, render

from rooms.models import Room

HISTORY = 50  # messages that the page of a room begins with

RoomForm = modelform_factory(Room, fields=("name",))


@login_required
def index(request):
    """The rooms that a user may enter; POST makes a new one."""
    form = RoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        room = Room.objects.create_named(form.cleaned_data["name"], host=request.user)
        return redirect("rooms:room", room.slug)
    rooms = Room.objects.for_user(request.user).filter(admits_user=True)
    return render(request, "rooms/index.html", {"rooms": rooms, "form": form})


@login_required
def room(request, room_id):
    room = get_object_or_404(Room.objects.for_user(request.user), slug=room_id)
    if not room.admits_user:
        raise PermissionDenied
    messages = []
    if not room.must_wait:
        messages = list(room.messages.select_related("author").order_by("-pk")[:HISTORY])[::-1]
    context = {"room": room, "chat_messages": messages, "is_host": room.host_id == request.user.pk}
    outside = room.closed_because or room.must_wait
    return render(request, "rooms/door.html" if outside else "rooms/room.html", context)
