from django.core.handlers.asgi import ASGIRequest
from django.http import JsonResponse
from django.views.decorators.cache import never_cache

from health.checkup import NEEDED, asgi_results, degraded, warnings, wsgi_results


@never_cache
async def live(request):
    """Whether this process answers at all. If not, restart it; a missing database is no reason to."""
    return JsonResponse({"status": "alive"})


@never_cache
async def health(request):
    """Whether this process can serve: 200, or 503 with what is wrong."""
    under_asgi = isinstance(request, ASGIRequest)
    results = await (asgi_results() if under_asgi else wsgi_results())
    healthy = all(results[name] == "ok" for name in NEEDED)
    return JsonResponse(
        {
            "status": "healthy" if healthy else "unhealthy",
            "container_type": "asgi" if under_asgi else "wsgi",
            "async_enabled": under_asgi,
            "checks": results,
            "warnings": degraded(results) + (warnings() if under_asgi else []),
        },
        status=200 if healthy else 503,
    )
