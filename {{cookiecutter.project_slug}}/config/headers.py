"""Headers that narrow what browsers do with answers, beside those of Django's SecurityMiddleware."""

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-site",  # pages elsewhere embed nothing of this site
    # Features that no page uses; cameras, microphones and screens stay for pages of this site.
    "Permissions-Policy": "accelerometer=(), geolocation=(), gyroscope=(), magnetometer=(), midi=(),"
    " payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}


@sync_and_async_middleware
def security_headers(get_response):
    """Set `HEADERS` where a view has not set its own, under ASGI and WSGI alike."""

    async def under_asgi(request):
        return with_headers(await get_response(request))

    def under_wsgi(request):
        return with_headers(get_response(request))

    return under_asgi if iscoroutinefunction(get_response) else under_wsgi


def with_headers(response):
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
