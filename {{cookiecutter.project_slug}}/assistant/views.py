from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from assistant.models import ChatMessage

LATEST = 50  # sessions that a page lists


def latest(user):
    prompts = Count("messages", filter=Q(messages__role=ChatMessage.Role.USER))
    return user.chat_sessions.annotate(prompts=prompts).order_by("-pk")[:LATEST]


@login_required
def index(request):
    """The sessions of a user; POST makes a new one."""
    if request.method == "POST":
        return redirect("assistant:session", request.user.chat_sessions.create().pk)
    return render(request, "assistant/index.html", {"sessions": latest(request.user)})


@login_required
def session(request, session_id):
    """The arena; what was said in it comes through its socket."""
    session = get_object_or_404(request.user.chat_sessions, pk=session_id)
    return render(request, "assistant/session.html", {"session": session, "sessions": latest(request.user)})


@login_required
@require_POST
@transaction.atomic
def delete(request, session_id):
    sessions = request.user.chat_sessions.select_for_update()  # while a prompt is stored, this waits
    get_object_or_404(sessions, pk=session_id).delete()
    return redirect("assistant:index")
