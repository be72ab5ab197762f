"""Count requests, and answer Prometheus before any other middleware: it uses none of our host names."""

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware

from monitoring.http import Counting
from monitoring.sharing import start_sharing
from monitoring.views import metrics, metrics_under_wsgi

PATH = "/metrics"


@sync_and_async_middleware
def count_requests(get_response):
    start_sharing()

    async def under_asgi(request):
        if request.path_info == PATH:
            return await metrics(request)
        with Counting(request) as counting:
            counting.response = await get_response(request)
        return counting.response

    def under_wsgi(request):
        if request.path_info == PATH:
            return metrics_under_wsgi(request)
        with Counting(request) as counting:
            counting.response = get_response(request)
        return counting.response

    return under_asgi if iscoroutinefunction(get_response) else under_wsgi
