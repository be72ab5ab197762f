"""Views that take and give JSON, for pages that are made elsewhere: plain views of Django.

Who asks has a session, or a bearer token where sockets take one.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, RawPostDataException
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.csrf import csrf_exempt

from accounts import throttle
from realtime.auth import AUTHENTICATORS

NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # in JSON; not every database takes it
BEARER = [each for each in AUTHENTICATORS if each.scheme.get("scheme") == "bearer"]


class Problem(Exception):
    """The answer to a request that cannot be carried out; `errors` are those of a form, by field."""

    def __init__(self, status: int, code: str, detail: str, errors: dict[str, list[str]] | None = None):
        super().__init__(status, code, detail)
        self.status = status
        self.content = {"code": code, "detail": detail} | ({"errors": errors} if errors else {})


def json_view(*methods: str, guests: bool = False) -> Callable:
    """Make a view of one whose result is sent as JSON, and which may raise `Problem`.

    It is called for these methods, for HEAD as for GET, and with `request.user` logged in, unless `guests`
    may come, too. Structs and what msgspec knows besides can be part of the result; None is sent as `{}`.
    """

    allowed = [*methods, *(["HEAD"] if "GET" in methods else [])]

    def decorate(view):
        @csrf_exempt  # the check is below: a token needs none
        @wraps(view)
        def answer(request, **arguments):
            try:
                if request.method not in allowed:
                    detail = f"Only {' and '.join(methods)} is understood here"
                    content = {"code": "not_allowed", "detail": detail}
                    return to_json(content, 405, {"Allow": ", ".join(allowed)})
                request.user = identify(request, guests)
                return to_json(view(request, **arguments))
            except Problem as problem:
                return to_json(problem.content, problem.status)
            except Http404:
                return to_json({"code": "not_found", "detail": "This does not exist, or not any more"}, 404)
            except PermissionDenied as error:
                if seconds := throttle.wait_of(request):
                    detail = f"Too many attempts; try again in {-(-seconds // 60)} minutes"
                    return to_json({"code": "throttled", "detail": detail}, 429, {"Retry-After": seconds})
                return to_json({"code": "not_allowed", "detail": str(error) or "You may not do this"}, 403)

        return answer

    return decorate


def to_json(content: Any, status: int = 200, headers: dict[str, Any] | None = None) -> HttpResponse:
    text = msgspec.json.encode({} if content is None else content)
    headers = {"Cache-Control": "no-store"} | (headers or {})
    return HttpResponse(text, status=status, content_type="application/json", headers=headers)


def identify(request: HttpRequest, guests: bool = False) -> Any:
    """Return who asks: by a bearer token if one is offered, else by the session, which must not be forged.

    Raises `Problem` if that is nobody, unless `guests` may come, too.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        for each in BEARER:
            if credentials := each.read(token):
                return credentials.user
        raise Problem(401, "not_authenticated", "The token is not, or no longer, valid")
    if request.user.is_anonymous and not guests:
        raise Problem(401, "not_authenticated", "Log in first")
    if CsrfViewMiddleware(refuse).process_view(request, refuse, (), {}):
        raise Problem(403, "not_allowed", "The CSRF token is missing or wrong: send it as X-CSRFToken")
    return request.user


def refuse(request):
    raise PermissionDenied  # never called: the middleware is asked for its opinion only


def read[T](request: HttpRequest, type: type[T], code: str = "invalid") -> T:
    """Read the body of a request; raise `Problem` if it is not of that type, a struct for instance."""
    try:
        if NUL.search(request.body):
            raise Problem(400, code, "Text here has no NUL characters")
        return msgspec.json.decode(request.body, type=type)
    except RequestDataTooBig:
        raise Problem(413, "too_big", "The request is too big") from None
    except RawPostDataException:  # the CSRF check has looked for its token in a form
        raise Problem(400, code, "Send JSON, as application/json") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Problem(400, code, str(error)) from None


def read_form(request: HttpRequest, form: type[BaseForm], **arguments: Any) -> Any:
    """Read the body of a request, an object, into a form; raise `Problem` if it is not valid."""
    filled = to_form(request, form, **arguments)
    if not filled.is_valid():
        raise refused(filled)
    return filled


def to_form(request: HttpRequest, form: type[BaseForm], **arguments: Any) -> Any:
    """Fill a form with the body of a request, an object; it is yet to be validated."""
    values = read(request, dict[str, str | bool | int | float | None])
    # As text, since that is what forms take: "true" is how they know that a box was ticked.
    data = {name: to_text(value) for name, value in values.items() if value is not None}
    return form(data=data, **arguments)


def to_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def refused(form: BaseForm) -> Problem:
    """What to raise for a form that is not valid."""
    errors = {name: [str(error) for error in found] for name, found in form.errors.items()}
    return Problem(400, "invalid", next(iter(errors.values()))[0], errors)
