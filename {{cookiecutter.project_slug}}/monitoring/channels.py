"""The page `/admin/channels/`: which processes serve sockets, and what those are doing."""

import heapq
from operator import attrgetter, itemgetter

from django.contrib import admin
from django.shortcuts import render

from monitoring.frames import Overview, ProcessInfo
from realtime.hub import serving_hub
from realtime.processes import MAX_SOCKETS, Process


def page(request):
    hub = serving_hub()
    context = {"title": "Channels", "away": hub is not None and hub.away}
    return render(request, "monitoring/channels.html", admin.site.each_context(request) | context)


def overview(known: dict[str, Process], answers: dict[str, dict], sort: str, descending: bool) -> Overview:
    """Put together what the processes have answered, and name those that have not."""
    processes = [
        ProcessInfo(
            id=id,
            host=process.host,
            pid=process.pid,
            since=process.since,
            silent_since=None if id in answers else process.heard,
            figures=answers[id]["figures"] if id in answers else {},
        )
        for id, process in known.items()
    ]
    sockets = [socket for answer in answers.values() for socket in answer["sockets"]]
    first = heapq.nlargest if descending else heapq.nsmallest
    return Overview(
        processes=sorted(processes, key=attrgetter("host", "pid")),
        sockets=first(MAX_SOCKETS, sockets, key=itemgetter(sort, "since")),
        matching=sum(answer["matching"] for answer in answers.values()),
    )
