"""The pages 403 and 404. Under ASGI Django makes them on threads whose connections nobody else gives back."""

from functools import wraps

from django.db import close_old_connections
from django.views import defaults


def giving_back(view):
    """Make a view give back the connections that it has used."""

    @wraps(view)
    def handler(request, exception):
        try:
            return view(request, exception)
        finally:
            close_old_connections()

    return handler


permission_denied = giving_back(defaults.permission_denied)
page_not_found = giving_back(defaults.page_not_found)
