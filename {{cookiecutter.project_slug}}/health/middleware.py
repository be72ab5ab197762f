"""Answer load balancers before any other middleware: they use none of our host names and no HTTPS."""

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware

from health.views import health, live

VIEWS = {"/api/health/": health, "/api/health/live/": live}


@sync_and_async_middleware
def answer_load_balancers(get_response):
    async def under_asgi(request):
        return await VIEWS.get(request.path_info, get_response)(request)

    def under_wsgi(request):
        view = VIEWS.get(request.path_info)
        return async_to_sync(view)(request) if view else get_response(request)

    return under_asgi if iscoroutinefunction(get_response) else under_wsgi
