"""Plots as SVG, of which the page sets the colours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import NamedTuple

from django.utils.html import escape

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 10, 26
X1, Y1 = WIDTH - RIGHT, HEIGHT - BOTTOM


class Line(NamedTuple):
    name: str
    kind: str  # its class in the style sheet, which sets the colour
    values: Sequence[float | None]  # None: nothing was measured there, and the line is broken


@dataclass
class Scale:
    """From values to pixels, and the values that get a label."""

    at: Callable[[float], float]
    marks: list[float]


def linear(low: float, high: float, start: float, end: float, parts: int = 4) -> Scale:
    """A scale from `low` to a round number that is not below `high`, in so many parts at most."""
    raw = (high - low or 1) / parts
    power = 10 ** floor(log10(raw))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= raw)
    count = max(1, ceil((high - low) / step - 1e-9))
    top = low + step * count
    return Scale(
        lambda value: start + (value - low) / (top - low) * (end - start),
        [low + step * n for n in range(count + 1)],
    )


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """A scale between two values, with marks at powers of ten, or closer if it spans few of them."""
    first, last = log10(low), log10(high)
    digits = (1,) if last - first > 2 else (1, 2, 5)
    powers = range(floor(first), ceil(last) + 1)
    marks = [digit * 10.0**power for power in powers for digit in digits]
    return Scale(
        lambda value: start + (log10(value) - first) / (last - first) * (end - start),
        [mark for mark in marks if low * 0.999 <= mark <= high * 1.001],
    )


def over_time(times: Sequence[float], lines: Sequence[Line], unit: Callable[[float], str], log=False) -> str:
    """Lines over seconds. `unit` writes a value with its unit."""
    values = [value for line in lines for value in line.values if value is not None]
    high = max(values, default=1) or 1
    y = linear(0, high, Y1, TOP)
    if log:
        low = floor(log10(min(values, default=0.001)))
        y = logarithmic(10**low, 10 ** max(ceil(log10(high)), low + 1), Y1, TOP)
    x = seconds_until(times[-1])
    parts = [frame(x, y, lambda seconds: f"{seconds:g} s", unit)]
    for line in lines:
        points = [
            (x.at(time), y.at(value)) if value is not None else None
            for time, value in zip(times, line.values, strict=True)
        ]
        parts.append(f'<path class="line {line.kind}" d="{path(points)}"/>')
    return svg(parts)


def seconds_until(end: float) -> Scale:
    marks = [mark for mark in linear(0, end, LEFT, X1, parts=10).marks if mark <= end]
    return Scale(lambda seconds: LEFT + seconds / end * (X1 - LEFT), marks)


def path(points: Sequence[tuple[float, float] | None]) -> str:
    """Lines between the points that follow each other; a point alone is a short dash."""
    parts = []
    for before, point in pairwise([None, *points]):
        if point is not None:
            here = f"{point[0]:.1f} {point[1]:.1f}"
            parts.append(f"M{here}h.1" if before is None else f"L{here}")
    return "".join(parts)


def histogram(counts: Sequence[tuple[float, float, int]], unit: Callable[[float], str]) -> str:
    """Bars for (from, to, count), over a logarithmic scale."""
    if not counts:
        return svg([f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">There were none.</text>'])
    x = logarithmic(counts[0][0], counts[-1][1], LEFT, X1)
    y = linear(0, max(count for *_, count in counts), Y1, TOP)
    parts = [frame(x, y, unit, lambda count: f"{count:,.0f}")]
    for low, high, count in counts:
        left, top = x.at(low), y.at(count)
        size = f'width="{max(x.at(high) - left - 0.5, 0.5):.1f}" height="{Y1 - top:.1f}"'
        hint = f"{unit(low)} to {unit(high)}: {count:,}"
        parts.append(f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" {size}><title>{hint}</title></rect>')
    return svg(parts)


def frame(x: Scale, y: Scale, x_unit: Callable[[float], str], y_unit: Callable[[float], str]) -> str:
    parts = []
    for mark in y.marks:
        at = f"{y.at(mark):.1f}"
        parts.append(f'<path class="grid" d="M{LEFT} {at}H{X1}"/>')
        label = escape(y_unit(mark))
        parts.append(f'<text x="{LEFT - 8}" y="{at}" dy=".35em" text-anchor="end">{label}</text>')
    for mark in x.marks:
        at = f"{x.at(mark):.1f}"
        anchor = "end" if x.at(mark) > X1 - 20 else "middle"
        parts.append(f'<text x="{at}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(x_unit(mark))}</text>')
    return "".join(parts)


def svg(parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'
