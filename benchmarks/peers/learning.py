"""A generated project with a view that clients may poll, and a count of what its database is asked."""

import json
import os
from collections import Counter

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

import config.asgi  # noqa: E402 (these need Django to be set up)
import config.urls  # noqa: E402
import serving.server  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from notifications.notify import anotify_user, notify_user  # noqa: E402

from .measured import measured  # noqa: E402

statements = Counter()


def count(execute, sql, params, many, context):
    """Count a statement by its first word; BEGIN only opens a transaction, and its end is not seen here."""
    statements[sql.split(maxsplit=1)[0]] += 1
    return execute(sql, params, many, context)


def counted(connection, **signal):
    if count not in connection.execute_wrappers:  # it may have been closed and opened again
        connection.execute_wrappers.append(count)


connection_created.connect(counted)


@login_required
def unread(request):
    """What a client asks for that polls."""
    rows = request.user.notifications.filter(read_at=None)
    return JsonResponse({"unread": [{"id": row.pk, "kind": row.kind, "data": row.data} for row in rows]})


def event(request, user_id):
    """An event of one user, as any part of a site may have one."""
    notify_user(user_id, "grade_received", {"grade": {"score": 87}})
    return JsonResponse({})


def told(request):
    """The statements since it was asked last."""
    executed = {word: number for word, number in statements.items() if word != "BEGIN"}
    statements.clear()
    return JsonResponse(executed)


async def publish(text):
    """An update for all sockets of the user who was made first."""
    user = await get_user_model().objects.order_by("pk").afirst()
    await anotify_user(user.pk, "grade_received", json.loads(text))


config.urls.urlpatterns[:0] = [
    path("bench/unread/", unread),
    path("bench/event/<int:user_id>/", event),
    path("bench/statements/", told),
]
config.asgi.application = measured(config.asgi.application, publish)
serving.server.main()
