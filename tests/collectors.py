"""Where errors and traces go: servers that speak as Sentry does, and as an OpenTelemetry collector."""

import gzip
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from services import HOST


class Collector(ThreadingHTTPServer):
    """Takes whatever is posted; `posts` has the path and the body of each."""

    daemon_threads = True

    def __init__(self):
        self.posts = []
        super().__init__((HOST, 0), Handler)

    @property
    def address(self):
        return f"{HOST}:{self.server_port}"

    def bodies(self, path):
        return [body for posted, body in list(self.posts) if posted == path]

    def told(self, secrets):
        """Return which of these have come, in whatever place."""
        return [secret for secret in secrets if any(secret.encode() in body for _, body in self.posts)]

    def items(self, kind):
        """Return what came in Sentry's envelopes of a kind, such as event or transaction."""
        items = [item for body in self.bodies("/api/1/envelope/") for item in envelope(body)]
        return [content for found, content in items if found == kind]

    def spans(self):
        """Return the names of the spans that came by OTLP."""
        requests = map(ExportTraceServiceRequest.FromString, self.bodies("/v1/traces"))
        scopes = [
            scope for request in requests for all in request.resource_spans for scope in all.scope_spans
        ]
        return [span.name for scope in scopes for span in scope.spans]

    def records(self):
        """Return the attributes of each log record that came by OTLP, and whether it is of a trace."""
        requests = map(ExportLogsServiceRequest.FromString, self.bodies("/v1/logs"))
        scopes = [scope for request in requests for all in request.resource_logs for scope in all.scope_logs]
        records = [record for scope in scopes for record in scope.log_records]
        return [(plain(record.attributes), any(record.trace_id)) for record in records]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.posts.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@contextmanager
def collecting():
    with Collector() as collector:
        thread = Thread(target=collector.serve_forever, args=[0.05])
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


def envelope(body):
    """Yield the kind and the content of each item in one of Sentry's envelopes."""
    _, _, rest = body.partition(b"\n")
    while rest:
        head, _, rest = rest.partition(b"\n")
        head = json.loads(head)
        length = head.get("length", rest.find(b"\n"))
        yield head["type"], json.loads(rest[:length])
        rest = rest[length:].lstrip(b"\n")


def plain(attributes):
    values = {each.key: each.value for each in attributes}
    return {key: getattr(value, value.WhichOneof("value")) for key, value in values.items()}
