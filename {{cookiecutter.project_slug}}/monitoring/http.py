"""What is counted of HTTP requests, each when its answer begins."""

import threading
import time
from collections import Counter, defaultdict

from realtime.stats import Histogram

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER = "other"  # methods that clients invent; and what no view answers, such as static files and 404
LEFT = 499  # as the status of a client that did not wait for the answer
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Requests:
    def __init__(self):
        self.total: Counter[tuple[str, str, int]] = Counter()  # by method, view and status
        self.seconds: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(SECONDS))  # by view
        self.in_progress = 0
        self.lock = threading.Lock()  # under WSGI there is a thread for each


requests = Requests()


class Counting:
    """`with Counting(request) as counting: counting.response = ...`."""

    __slots__ = ("began", "request", "response")

    def __init__(self, request):
        self.request, self.response = request, None

    def __enter__(self):
        with requests.lock:
            requests.in_progress += 1
        self.began = time.perf_counter()
        return self

    def __exit__(self, *exc_info):
        seconds = time.perf_counter() - self.began
        method, match = self.request.method, self.request.resolver_match
        view = match.view_name if match else OTHER
        status = LEFT if self.response is None else self.response.status_code
        with requests.lock:
            requests.in_progress -= 1
            requests.total[method if method in METHODS else OTHER, view, status] += 1
            requests.seconds[view].observe(seconds)
