"""The report: one HTML file with plots, which needs nothing from elsewhere."""

from collections import Counter
from datetime import UTC, datetime
from math import exp
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Context, Engine
from django.utils.safestring import mark_safe

from loadtest.live import ms
from loadtest.measures import STEP, Durations, Figures
from loadtest.plots import Line, histogram, over_time
from loadtest.verdict import measured

BAR = 10  # steps of a hundredth each in a bar of the distribution


def write(path: Path, figures: Figures, missed: list[str]) -> str:
    """Write the report; return a sentence about that."""
    page = Engine(dirs=[str(Path(__file__).parent / "templates")]).get_template("loadtest/report.html")
    text = page.render(Context(context(figures, missed)))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"There is no report: {path} cannot be written: {error.strerror}."
    return f"The report is in {path}."


def context(figures: Figures, missed: list[str]) -> dict[str, Any]:
    deliveries = figures.deliveries
    return {
        "project": settings.PROJECT_NAME,
        "figures": figures,
        "began": datetime.fromtimestamp(figures.began, UTC),
        "missed": missed,
        "tiles": [
            ("sockets", f"{figures.most:,}"),
            ("deliveries", f"{len(deliveries):,}"),
            ("delivered in, p50", ms(deliveries.percentile(50)) if len(deliveries) else "none"),
            ("delivered in, p99", ms(deliveries.percentile(99)) if len(deliveries) else "none"),
            ("lost", f"{figures.lost:,}"),
            ("errors", f"{figures.errors.total():,}"),
        ],
        "plots": plots(figures),
        "rows": measured(figures),
        "errors": figures.errors.most_common(20),
        "asked": {
            f"--{name.replace('_', '-')}": f"{value:g}" if isinstance(value, float) else value
            for name, value in figures.asked.items()
            if value is not None
        },
        "limited": any(value is not None for name, value in figures.asked.items() if name.startswith("max_")),
    }


def plots(figures: Figures) -> list[dict[str, Any]]:
    """Return title, lines with their kinds, and drawing of each plot."""
    ticks = figures.ticks
    times = [tick.start + tick.seconds for tick in ticks]

    def percentiles(percent):
        return [tick.deliveries.percentile(percent) or None for tick in ticks]

    def rate(counts):
        return [count / tick.seconds for tick, count in zip(ticks, counts, strict=True)]

    latency = [Line(f"p{p}", kind, percentiles(p)) for p, kind in ((50, "c1"), (95, "c2"), (99, "c3"))]
    traffic = [
        Line("expected", "c2", rate(tick.expected for tick in ticks)),
        Line("received", "c1", rate(len(tick.deliveries) for tick in ticks)),
        Line("sent", "c4", rate(tick.sent for tick in ticks)),
    ]
    trouble = [
        Line("errors", "c3", rate(tick.errors for tick in ticks)),
        Line("reconnections", "c2", rate(tick.reconnects for tick in ticks)),
    ]
    sockets = [Line("open", "c1", [tick.sockets for tick in ticks])]
    own = [Line("of one core", "c4", [tick.cpu * 100 for tick in ticks])]
    drawn = [
        ("Delivery: from sending to receipt", latency, over_time(times, latency, duration, log=True)),
        ("Distribution of deliveries", [], histogram(bars(figures.deliveries), duration)),
        ("Messages a second", traffic, over_time(times, traffic, number)),
        ("Open sockets", sockets, over_time(times, sockets, number)),
        ("Errors and reconnections a second", trouble, over_time(times, trouble, number)),
        ("CPU of the load generator itself", own, over_time(times, own, lambda value: f"{value:g} %")),
    ]
    return [{"title": title, "lines": lines, "svg": mark_safe(svg)} for title, lines, svg in drawn]  # noqa: S308


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


def duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 0.9995 else f"{seconds * 1000:.3g} ms"


def bars(durations: Durations) -> list[tuple[float, float, int]]:
    """Return (from, to, count) in seconds, from the shortest to the longest, without gaps."""
    counts: Counter[int] = Counter()
    for step, count in durations.counts.items():
        counts[step // BAR] += count
    if not counts:
        return []
    numbers = range(min(counts), max(counts) + 1)
    return [(exp(n * BAR * STEP), exp((n + 1) * BAR * STEP), counts[n]) for n in numbers]
