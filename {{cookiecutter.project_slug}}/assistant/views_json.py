from django.http import Http404
from django.shortcuts import get_object_or_404

from assistant import storage
from config.json_views import json_view


@json_view("GET", "POST")
def index(request):
    """The newest sessions of a user, with the number of prompts in each; POST makes a new one."""
    if request.method == "POST":
        return {"id": request.user.chat_sessions.create().pk}
    return list(storage.latest_sessions(request.user).values("id", "title", "created_at", "prompts"))


@json_view("GET")
def session(request, session_id):
    """A session of the user; what was said in it comes through its socket."""
    found = get_object_or_404(request.user.chat_sessions, pk=session_id)
    return {"id": found.pk, "title": found.title}


@json_view("POST")
def delete(request, session_id):
    if not storage.delete_session(request.user, session_id):
        raise Http404
