"""What Django does for the pages that `frontend/` makes: it serves their shell and says who looks at them."""

from functools import lru_cache

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from config.json_views import json_view
from config.site import describe, links

BUILT = settings.BASE_DIR / "static/app/index.html"


@require_safe
@cache_control(no_cache=True)  # an older one would ask for files that a deploy has taken away
@ensure_csrf_cookie
def page(request, **parameters):
    """The shell of every page; `frontend/` finds out by the address which one it is."""
    try:
        return HttpResponse(shell(BUILT.stat().st_mtime_ns))
    except FileNotFoundError:
        return HttpResponse("The front end is not built: make build", status=503, content_type="text/plain")


@lru_cache(1)
def shell(built_at: int) -> bytes:
    """The page that Vite has built; it is read anew when it is built anew."""
    return BUILT.read_bytes()


@ensure_csrf_cookie
@json_view("GET", guests=True)
def site(request):
    """What every page shows: the name of the site, its menu, and who is logged in."""
    return describe(request.user) | {"nav": links("nav", request.user)}
