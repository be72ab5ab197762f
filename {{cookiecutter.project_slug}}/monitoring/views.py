"""`/metrics`, in the text format of Prometheus, for who has the token.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import asyncio
import logging

from django.conf import settings
from django.http import HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.figures import METRICS, Figures
from monitoring.sharing import now, place

logger = logging.getLogger("monitoring")

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
@never_cache
async def metrics(request):
    """The figures of all processes of this server. It asks no service, and answers while the server stops."""
    return refusal(request) or await asyncio.to_thread(answer, *now())


@require_safe
@never_cache
def metrics_under_wsgi(request):
    return refusal(request) or answer(*now())


def refusal(request):
    """Return the answer to who has not the token, or None."""
    if not settings.METRICS_TOKEN:
        return HttpResponse("There are no metrics here: METRICS_TOKEN is not set.\n", TEXT, 404)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        return None
    said = "Send `Authorization: Bearer` with the METRICS_TOKEN of this server.\n"
    return HttpResponse(said, TEXT, 401, headers={"WWW-Authenticate": "Bearer"})


def answer(own: Figures, at: float):
    try:
        if shared := place():
            shared.leave(own, at)
            own = shared.of_all()
    except OSError as error:
        logger.error("no metrics: %s", error)
        return HttpResponse("The figures of the other processes cannot be had; see the log.\n", TEXT, 503)
    return HttpResponse(as_text(own), TEXT)


def as_text(found: Figures) -> str:
    lines = []
    for name, metric in METRICS.items():
        if name in found:
            lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
            lines += [f"{name}{labels} {number(value)}" for labels, value in found[name].items()]
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
