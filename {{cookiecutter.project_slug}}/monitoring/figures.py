"""The figures of this process, by metric; their names follow https://prometheus.io/docs/practices/naming/.

An app adds some by its metrics.py: `METRICS`, and `figures()`, which returns them.
"""

import resource
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from monitoring.http import requests
from realtime.asyncapi import is_ours
from realtime.codes import ERRORS
from realtime.hub import serving_hub
from realtime.processes import resident_memory
from realtime.routes import flatten
from realtime.stats import Histogram, stats

STARTED = time.time()

Figures = dict[str, dict[str, float]]  # metric -> what follows its name, such as {code="1000"} -> value


class Metric(NamedTuple):
    kind: str
    help: str
    of_several: Any = sum  # what a gauge of several processes is; what is counted is added up


METRICS = {
    "realtime_processes": Metric("gauge", "Processes that serve."),
    "realtime_connections": Metric("gauge", "Open WebSockets."),
    "realtime_connections_opened_total": Metric("counter", "WebSockets that were accepted."),
    "realtime_connections_closed_total": Metric("counter", "WebSockets that ended, by close code."),
    "realtime_frames_received_total": Metric("counter", "Frames that handlers were called for."),
    "realtime_frames_sent_total": Metric("counter", "Frames that the server took for clients."),
    "realtime_errors_total": Metric("counter", "Frames that were answered with an error, by its code."),
    "realtime_backlog_frames": Metric("gauge", "Frames that wait for clients to read."),
    "realtime_slow_clients_total": Metric("counter", "WebSockets closed since their clients did not read."),
    "realtime_groups": Metric("gauge", "Groups with members; each process has its own."),
    "realtime_events_received_total": Metric("counter", "Events that arrived from the channel layer."),
    "realtime_events_dropped_total": Metric("counter", "Events not handed out, since too many waited."),
    "realtime_events_missed_total": Metric("counter", "Events that did not arrive."),
    "realtime_events_published_total": Metric("counter", "Events that the channel layer took."),
    "realtime_publish_failures_total": Metric("counter", "Events that it did not take."),
    "realtime_event_age_seconds": Metric("gauge", "For how long the oldest event has waited.", max),
    "realtime_layer_failures_total": Metric("counter", "How often the channel layer did not answer."),
    "realtime_layer_away": Metric("gauge", "Processes that have no channel layer just now."),
    "realtime_draining": Metric("gauge", "Processes that are about to end."),
    "event_loop_lag_seconds": Metric("histogram", "How late the event loop was, sampled each 0.1 s."),
    "http_requests_total": Metric("counter", "Requests that were answered; 499: the client had left."),
    "http_request_duration_seconds": Metric("histogram", "Until the answer began."),
    "http_requests_in_progress": Metric("gauge", "Requests that were not answered yet."),
    "process_cpu_seconds_total": Metric("counter", "Time of the processor, of all processes."),
    "process_resident_memory_bytes": Metric("gauge", "Memory, of all processes."),
    "process_open_fds": Metric("gauge", "Open files and sockets, of the process that has most.", max),
    "process_max_fds": Metric("gauge", "How many a process may have.", min),
    "process_start_time_seconds": Metric("gauge", "When the youngest process started.", max),
}

of_apps: list[Callable[[], Figures]] = []


def figures() -> Figures:
    """Return those of this process; called on the event loop that serves, if it has one."""
    found = of_sockets() | of_requests() | of_process()
    for of_app in of_apps:
        found |= of_app()
    return {name: series for name, series in found.items() if series}


def of_sockets() -> Figures:
    found = {
        "realtime_connections": labelled(("consumer",), none_yet() | stats.open_sockets()),
        "realtime_connections_opened_total": labelled(("consumer",), none_yet() | stats.opened),
        "realtime_connections_closed_total": labelled(("consumer", "code"), stats.closed),
        "realtime_frames_received_total": labelled(("consumer", "type"), stats.received),
        "realtime_errors_total": labelled(("code",), dict.fromkeys(ERRORS, 0) | stats.errors),
        "realtime_slow_clients_total": one(stats.slow_clients),
        "realtime_events_received_total": one(stats.events),
        "realtime_events_dropped_total": one(stats.events_dropped),
        "realtime_events_missed_total": one(stats.events_missed),
        "realtime_events_published_total": one(stats.published),
        "realtime_publish_failures_total": one(stats.publish_failures),
        "realtime_layer_failures_total": one(stats.layer_failures),
    }
    if hub := serving_hub():
        found |= {
            "realtime_frames_sent_total": one(stats.frames_sent(hub.sockets)),
            "realtime_backlog_frames": one(sum(len(socket.outbox) for socket in hub.sockets)),
            "realtime_groups": one(len(hub.groups)),
            "realtime_event_age_seconds": one(hub.age()),
            "realtime_layer_away": one(hub.away),
            "realtime_draining": one(hub.draining),
            "event_loop_lag_seconds": histogram(stats.lag),
        }
    return found


@cache
def none_yet() -> dict[str, int]:
    """The consumers, with 0: a series that begins with the first socket looks like an outage until then."""
    from config.routing import websocket_urlpatterns  # whose consumers need models, later than this module

    return {route.name: 0 for route in flatten(websocket_urlpatterns) if is_ours(route.consumer)}


def of_requests() -> Figures:
    with requests.lock:
        seconds = [histogram(times, label("view", view)) for view, times in requests.seconds.items()]
        return {
            "http_requests_total": labelled(("method", "view", "status"), requests.total),
            "http_request_duration_seconds": {key: value for each in seconds for key, value in each.items()},
            "http_requests_in_progress": one(requests.in_progress),
        }


def of_process() -> Figures:
    found = {
        "realtime_processes": one(1),
        "process_cpu_seconds_total": one(time.process_time()),
        "process_start_time_seconds": one(STARTED),
        "process_max_fds": one(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
    }
    if memory := resident_memory():  # on Linux
        found["process_resident_memory_bytes"] = one(memory)
        found["process_open_fds"] = one(len([*Path("/proc/self/fd").iterdir()]))
    return found


def one(value: float) -> dict[str, float]:
    return {"": float(value)}


def labelled(names: tuple[str, ...], counts: Mapping[Any, int]) -> dict[str, float]:
    found = {}
    for values, count in counts.items():
        values = values if isinstance(values, tuple) else (values,)
        found[braces(*map(label, names, values))] = float(count)
    return found


def histogram(times: Histogram, *labels: str) -> dict[str, float]:
    found, total = {}, 0
    for bound, count in zip((*times.bounds, "+Inf"), times.counts, strict=True):
        total += count
        found["_bucket" + braces(*labels, label("le", bound))] = float(total)
    return {**found, "_sum" + braces(*labels): times.sum, "_count" + braces(*labels): float(total)}


def label(name: str, value: Any) -> str:
    text = str(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{name}="{text}"'


def braces(*labels: str) -> str:
    return "{" + ",".join(labels) + "}" if labels else ""
