"""What a request that fails is answered: JSON below /api/, a page elsewhere.

Under ASGI Django makes these answers on threads whose connections nobody else gives back.
"""

from functools import wraps

from django.db import connections
from django.http import JsonResponse
from django.views import csrf, defaults

API = "/api/"


def answering(view, status, code, detail):
    """Make a handler of errors of a view that makes pages; it gives back the connections that it has used."""

    @wraps(view)
    def handler(request, **error):
        try:
            if request.path_info.startswith(API):
                return JsonResponse({"code": code, "detail": detail}, status=status)
            return view(request, **error)
        finally:
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:  # as that of a test is, whose transaction goes on
                    connection.close_if_unusable_or_obsolete()

    return handler


bad_request = answering(defaults.bad_request, 400, "invalid", "This request cannot be read")
permission_denied = answering(defaults.permission_denied, 403, "not_allowed", "You may not do this")
page_not_found = answering(defaults.page_not_found, 404, "not_found", "This does not exist, or not any more")
csrf_failure = answering(csrf.csrf_failure, 403, "not_allowed", "The CSRF token is missing or wrong")
server_error = answering(defaults.server_error, 500, "failed", "Something broke; it is in the log")
