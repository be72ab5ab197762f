"""Django's standard middleware on the event loop, without its detours through a thread.

Under ASGI Django runs the hooks of each of these classes in a thread, and each time the request waits for
two changes of thread, in case they do I/O. These do none, or only in the two cases below. `config.asgi`
calls `stay_on_the_loop` before the first request; WSGI is not touched.
"""

from functools import partial

from asgiref.sync import sync_to_async
#% if cookiecutter.django_version == "5.2"
from csp.middleware import CSPMiddleware
#% endif
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
#% if cookiecutter.django_version != "5.2"
from django.middleware.csp import ContentSecurityPolicyMiddleware
#% endif
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware

WITHOUT_IO = (
    SecurityMiddleware,
#% if cookiecutter.django_version == "5.2"
    CSPMiddleware,
#% else
    ContentSecurityPolicyMiddleware,
#% endif
    CommonMiddleware,
    CsrfViewMiddleware,
    AuthenticationMiddleware,  # request.user is lazy
    MessageMiddleware,  # kept in a cookie
    XFrameOptionsMiddleware,
)


def stay_on_the_loop() -> None:
    for middleware in WITHOUT_IO:
        middleware.__acall__ = call_inline
    SessionMiddleware.__acall__ = call_session
    CsrfViewMiddleware.__init__ = init_csrf


async def call_inline(self, request):
    response = self.process_request(request) if hasattr(self, "process_request") else None
    if response is None:
        response = await self.get_response(request)
    if hasattr(self, "process_response"):
        response = self.process_response(request, response)
    return response


async def call_session(self, request):
    self.process_request(request)
    response = await self.get_response(request)
    if request.session.modified or settings.SESSION_SAVE_EVERY_REQUEST:
        return await sync_to_async(self.process_response)(request, response)  # writes to the database
    return self.process_response(request, response)


def init_csrf(self, get_response):
    super(CsrfViewMiddleware, self).__init__(get_response)
    if self.async_mode:
        self.process_view = partial(check_csrf, self)


async def check_csrf(self, request, *view):
    if request.method in ("GET", "HEAD", "OPTIONS", "TRACE"):
        return CsrfViewMiddleware.process_view(self, request, *view)
    return await sync_to_async(CsrfViewMiddleware.process_view)(self, request, *view)  # reads the form
