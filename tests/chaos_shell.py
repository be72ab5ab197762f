"""What the chaos asks of a project's `manage.py shell`: a line of JSON for each request, and for each answer.

It is another process of the site, as a task queue or an administrator is: it notifies users, puts them out by
every way there is, and at last tells what the database holds.
"""

import json
import sys
from importlib import import_module
from itertools import groupby
from operator import itemgetter

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.db import DatabaseError, close_old_connections
from notifications.models import Notification
from notifications.notify import notify_user
from realtime.publish import flush
from rooms.models import Message, Room

User = get_user_model()
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore
KIND = "chaos"


def people(names, rooms):
    """Make users and rooms; return the ids of the users."""
    for slug in rooms:
        Room.objects.get_or_create(slug=slug, defaults={"name": slug})
    return [User.objects.create_user(name).pk for name in names]


def admit(user):
    """Let a user in, who may have been put out; return the key of a new session, as logging in makes one."""
    User.objects.filter(pk=user).update(is_active=True)
    session = SessionStore()
    session[SESSION_KEY] = str(user)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = User.objects.get(pk=user).get_session_auth_hash()
    session.create()
    return session.session_key


def deactivate(user):
    User.objects.filter(pk=user).update(is_active=False)


def change_password(user):
    changed = User.objects.get(pk=user)
    changed.set_password("a-new-password-for-tests")
    changed.save()


def notify(user, number):
    return notify_user(user, KIND, {"number": number}).pk


def sent():
    """Wait until what was published has left this process."""
    return flush()


def stored():
    """Return the messages of each room and the notifications of each user, in order of ids."""
    messages = Message.objects.order_by("room__slug", "pk")
    rows = messages.values_list("room__slug", "pk", "author_id", "body", "sent_at")
    rooms = {
        slug: [[pk, author, body, at.timestamp()] for _, pk, author, body, at in group]
        for slug, group in groupby(rows, itemgetter(0))
    }
    rows = Notification.objects.order_by("user_id", "pk").values_list("user_id", "pk", "kind", "data")
    users = {
        user: [[pk, data["number"] if kind == KIND else None] for _, pk, kind, data in group]
        for user, group in groupby(rows, itemgetter(0))
    }
    return {"rooms": rooms, "users": users}


REQUESTS = {
    function.__name__: function
    for function in (people, admit, deactivate, change_password, notify, sent, stored)
}

for line in sys.stdin:
    name, *arguments = json.loads(line)
    close_old_connections()  # as whoever runs for long does between two jobs
    try:
        answer = {"is": REQUESTS[name](*arguments)}
    except DatabaseError as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
