from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from assistant import storage


@login_required
def index(request):
    """The sessions of a user; POST makes a new one."""
    if request.method == "POST":
        return redirect("assistant:session", request.user.chat_sessions.create().pk)
    return render(request, "assistant/index.html", {"sessions": storage.latest_sessions(request.user)})


@login_required
def session(request, session_id):
    """The arena; what was said in it comes through its socket."""
    session = get_object_or_404(request.user.chat_sessions, pk=session_id)
    shown = {"session": session, "sessions": storage.latest_sessions(request.user)}
    return render(request, "assistant/session.html", shown)


@login_required
@require_POST
def delete(request, session_id):
    if not storage.delete_session(request.user, session_id):
        raise Http404
    return redirect("assistant:index")
