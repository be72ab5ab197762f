"""Limits on the HTTP requests of a process: how many at a time, and after how many another takes its place.

Sockets have limits of their own (WS_MAX_SOCKETS), and are not counted here.
"""

import logging
import os
import signal
from random import randrange

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponse
from django.utils.decorators import sync_and_async_middleware

logger = logging.getLogger("serving")

recycling = False  # whether this process ends while others go on to serve


@sync_and_async_middleware
def limit_requests(get_response):
    """Answer 503 to what is beyond MAX_CONCURRENT_REQUESTS, and end this process after about MAX_REQUESTS.

    Stands behind what answers load balancers and writes the log, in MIDDLEWARE. A request is under way until
    its response begins, so a stream does not count. Under WSGI the threads are the limit.
    """
    at_a_time, in_all = settings.MAX_CONCURRENT_REQUESTS, settings.MAX_REQUESTS
    if not iscoroutinefunction(get_response) or not (at_a_time or in_all):
        raise MiddlewareNotUsed
    under_way, left = 0, in_all + randrange(in_all // 5 + 1)  # so workers do not all end at the same time

    async def limited(request):
        nonlocal under_way, left
        if at_a_time and under_way >= at_a_time and request.path_info != "/metrics":
            text = "The server has all hands full. Try again in a moment.\n"
            return HttpResponse(text, "text/plain", status=503, headers={"Retry-After": "1"})
        under_way, left = under_way + 1, left - 1
        if left == 0:
            recycle(in_all)
        try:
            return await get_response(request)
        finally:
            under_way -= 1

    return limited


def recycle(requests: int) -> None:
    """End this process as its manager would, which then starts another; requests and sockets end first."""
    global recycling
    logger.info("making way for a new process, after more than %d requests", requests)
    recycling = True
    os.kill(os.getpid(), signal.SIGTERM)
