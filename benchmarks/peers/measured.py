"""What each Python peer gets around its application: a socket that publishes, and the event loop's lag."""

import asyncio
import inspect
import json
import time
from urllib.parse import parse_qs


class LoopLag:
    """
    How late the event loop is, for each point of a fixed grid in time.

    A callback that is due while the loop is busy runs only when it is free again. A loop that is busy for
    50 ms delays every callback due in these 50 ms, not only one: so each point of the grid counts.
    """

    STEP = 0.002

    def __init__(self):
        self.lags = []
        self.running = None

    async def sample(self):
        due = time.perf_counter() + self.STEP
        while True:
            await asyncio.sleep(max(0, due - time.perf_counter()))
            now = time.perf_counter()
            while due <= now:
                self.lags.append(now - due)
                due += self.STEP

    def read(self):
        """The quantiles in milliseconds since the last call, which also starts the sampler."""
        if self.running is None:
            self.running = asyncio.create_task(self.sample())
        lags, self.lags = sorted(self.lags), []
        if not lags:
            return {}
        return {
            "p50": lags[len(lags) // 2] * 1000,
            "p99": lags[int(len(lags) * 0.99)] * 1000,
            "max": lags[-1] * 1000,
        }


def asked_group(scope):
    """The number of the group in `?group=`; None if all are in one."""
    asked = parse_qs(scope["query_string"].decode()).get("group")
    return asked and int(asked[0])


def group_of(number):
    """The name of the group with a number."""
    return "bench" if number is None else f"bench.{number}"


def measured(app, publish):
    """`app` with `GET /lag` and the WebSocket `/trigger`, which calls `await publish(text)` for each text."""
    lag = LoopLag()

    async def trigger(receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await publish(message["text"])

    async def report(send):
        body = json.dumps(lag.read()).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    @inspect.markcoroutinefunction  # it returns one, which saves each socket a frame
    def application(scope, receive, send):
        if scope.get("path") == "/trigger":
            return trigger(receive, send)
        if scope.get("path") == "/lag":
            return report(send)
        return app(scope, receive, send)

    return application
