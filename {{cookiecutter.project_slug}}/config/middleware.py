"""Django's standard middleware on the event loop, without its detours through a thread.

Under ASGI Django runs the hooks of each of these classes in a thread, and each time the request waits for
two changes of thread, in case they do I/O. With the settings named here these do none, or only where it says
so below. A subclass, or another setting, gets Django's own way, and `manage.py check --deploy` tells of it.
`config.asgi` calls `stay_on_the_loop` before the first request; WSGI is not touched.
"""

from functools import partial
from inspect import markcoroutinefunction

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import Tags, Warning, register
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.module_loading import import_string

# Django's own, since 6.0, and that of the package for older versions; MIDDLEWARE has one of them.
CSP = {"django.middleware.csp.ContentSecurityPolicyMiddleware", "csp.middleware.CSPMiddleware"}
WITHOUT_IO = (
    SecurityMiddleware,
    *map(import_string, CSP.intersection(settings.MIDDLEWARE)),
    SessionMiddleware,
    CommonMiddleware,
    CsrfViewMiddleware,
    AuthenticationMiddleware,  # request.user is lazy
    MessageMiddleware,
    XFrameOptionsMiddleware,
)
ONLY_WITH: dict[type, tuple[str, list]] = {  # class -> a setting, and the values with which it does no I/O
    SessionMiddleware: (
        "SESSION_ENGINE",
        [f"django.contrib.sessions.backends.{name}" for name in ("db", "cached_db", "cache")],
    ),
    CsrfViewMiddleware: ("CSRF_USE_SESSIONS", [False]),
    MessageMiddleware: ("MESSAGE_STORAGE", ["django.contrib.messages.storage.cookie.CookieStorage"]),
}


def stay_on_the_loop() -> None:
    for middleware in WITHOUT_IO:
        middleware.__acall__ = on_the_loop(middleware)
    CsrfViewMiddleware.__init__ = init_csrf


def on_the_loop(middleware):
    run = run_session if middleware is SessionMiddleware else run_inline

    def __acall__(self, request):
        if needs_threads(type(self)):
            return super(middleware, self).__acall__(request)
        return run(self, request)

    return __acall__


def needs_threads(middleware) -> str:
    """Return why the hooks of a class may do I/O, or nothing if they do none."""
    if middleware not in WITHOUT_IO:
        return "it is a subclass"
    setting, values = ONLY_WITH.get(middleware, ("", []))
    return f"{setting} has another value" if setting and getattr(settings, setting) not in values else ""


async def run_inline(self, request):
    response = self.process_request(request) if hasattr(self, "process_request") else None
    if response is None:
        response = await self.get_response(request)
    if hasattr(self, "process_response"):
        response = self.process_response(request, response)
    return response


async def run_session(self, request):
    self.process_request(request)
    response = await self.get_response(request)
    if request.session.modified or settings.SESSION_SAVE_EVERY_REQUEST:
        return await sync_to_async(self.process_response)(request, response)  # writes to the database
    return self.process_response(request, response)


def init_csrf(self, get_response):
    super(CsrfViewMiddleware, self).__init__(get_response)
    if self.async_mode and type(self) is CsrfViewMiddleware:

        @markcoroutinefunction
        def process_view(request, view, *arguments):
            check = partial(CsrfViewMiddleware.process_view, self, request, view, *arguments)
            if view is get_response:  # csrf_protect, which does not await this
                return check()
            return check_csrf(request, check)

        self.process_view = process_view


async def check_csrf(request, check):
    if request.method in ("GET", "HEAD", "OPTIONS", "TRACE"):
        return check()
    return await sync_to_async(check)()  # reads the form


@register(Tags.compatibility, deploy=True)
def hooks_in_threads(app_configs, **kwargs):
    """For `manage.py check --deploy`: which of these classes run Django's own way, and why."""
    found = {path: import_string(path) for path in settings.MIDDLEWARE}
    known = {path: it for path, it in found.items() if isinstance(it, type) and issubclass(it, WITHOUT_IO)}
    return [
        Warning(
            f"The hooks of {path} run in threads, since {reason}, so each request waits for them.",
            hint="Undo that, or put config.W001 into SILENCED_SYSTEM_CHECKS.",
            id="config.W001",
        )
        for path, middleware in known.items()
        if (reason := needs_threads(middleware))
    ]
