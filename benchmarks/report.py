"""What a run says: rounds and their medians, bars that are met or not, and tables for docs/benchmarks.md."""

import dataclasses
import os
import platform
import statistics
import subprocess
from pathlib import Path

LIBRARIES = ("django", "channels", "channels_redis", "redis", "msgspec", "uvicorn", "uvloop", "websockets")


def in_rounds(names, measure, rounds):
    """The figures of each name in each round, `[{name: {key: figure}}]`; every second round is in reverse."""
    result = []
    for number in range(rounds):
        figures = {}
        for name in names if number % 2 == 0 else reversed(names):
            figures[name] = measure(name)
            shown = ", ".join(f"{key} {figure:.4g}" for key, figure in figures[name].items())
            print(f"round {number + 1} of {rounds}: {name}: {shown}", flush=True)
        result.append({name: figures[name] for name in names})
    return result


def median(rounds, name, key):
    """The median over all rounds of a figure."""
    return statistics.median(figures[name][key] for figures in rounds)


def ratio(rounds, name, other, key):
    """The median over all rounds of a figure, as a multiple of another name's in the same round."""
    return statistics.median(figures[name][key] / figures[other][key] for figures in rounds)


def spread(rounds, name, key, spec=",.0f"):
    """The least and the most of a figure in all rounds, for a table."""
    figures = [figures[name][key] for figures in rounds]
    return f"{min(figures):{spec}} to {max(figures):{spec}}"


def with_spread(rounds, name, key, spec):
    """The median over all rounds of a figure, with its spread."""
    return f"{median(rounds, name, key):{spec}} ({spread(rounds, name, key, spec)})"


@dataclasses.dataclass
class Bar:
    """A figure that has to be at least, or else at most, so much."""

    text: str
    figure: float
    least: float | None = None
    most: float | None = None

    @property
    def rule(self):
        return f"at least {self.least:g}" if self.most is None else f"at most {self.most:g}"

    @property
    def met(self):
        return self.figure >= self.least if self.most is None else self.figure <= self.most

    def __str__(self):
        return f"{'met' if self.met else 'NOT MET':8} {self.figure:9.3g}  {self.rule:15} {self.text}"


def none_lost(rounds, names):
    """The bar that none of these has lost or repeated an event."""
    lost = sum(figures[name]["lost"] for figures in rounds for name in names)
    return Bar("events lost or repeated", lost, most=0)


def table(head, rows):
    """A table in Markdown; the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def bar_table(bars):
    rows = [[bar.text, f"{bar.figure:.3g}", bar.rule, "yes" if bar.met else "**no**"] for bar in bars]
    return table(["", "measured", "bar", "met"], rows)


def machine():
    """The processor and the system that this runs on."""
    found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = found[0].partition(": ")[2] if found else platform.machine()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def versions(project):
    """The versions of all that was measured."""
    code = f"import importlib.metadata as m; print(*[x + ' ' + m.version(x) for x in {LIBRARIES}], sep=', ')"
    commands = ([project.python, "-V"], [project.python, "-c", code])
    return ", ".join(subprocess.check_output(command, text=True).strip() for command in commands)
