"""What is seen while a load test runs: a line, which on a terminal is always the same one."""

import asyncio
import shutil
import sys
import time
from typing import TYPE_CHECKING

from loadtest.measures import Tick

if TYPE_CHECKING:
    from loadtest.run import Run

POINTS = 300  # in a plot, at most
SAMPLE = 0.02  # seconds; how late this process wakes up from that is its lag
WITHOUT_TERMINAL = 5  # seconds between two lines


class Live:
    def __init__(self, run: "Run"):
        self.run, self.options = run, run.options
        self.start = self.alive = time.perf_counter()
        self.interval = max(1.0, (self.options.ramp + self.options.seconds) / POINTS)
        self.terminal = sys.stdout.isatty()
        self.shown, self.cpu = 0.0, time.process_time()
        self.lags: list[float] = []
        run.figures.begin(Tick(0.0))

    def seconds(self) -> float:
        return time.perf_counter() - self.start

    async def watch(self) -> None:
        """Close an interval after the other. Returns when the site has been away for too long."""
        while True:
            await self.measure()
            self.close()
            self.show()
            if self.run.open:
                self.alive = time.perf_counter()
            elif time.perf_counter() - self.alive > self.options.give_up:
                self.run.figures.gone = True
                return

    async def measure(self) -> None:
        """Wait for an interval, and see how late this process itself is."""
        end = time.perf_counter() + self.interval
        while (now := time.perf_counter()) < end:
            await asyncio.sleep(SAMPLE)
            self.lags.append(time.perf_counter() - now - SAMPLE)

    def close(self) -> None:
        tick, now, cpu = self.run.figures.tick, self.seconds(), time.process_time()
        tick.seconds, tick.sockets = now - tick.start, self.run.open
        tick.cpu = (cpu - self.cpu) / tick.seconds
        tick.lag = sum(self.lags) / max(len(self.lags), 1)
        self.cpu, self.lags = cpu, []
        self.run.figures.begin(Tick(now))

    def finish(self) -> None:
        """Close the last interval, or add it to the one before if it is short."""
        self.close()
        ticks = self.run.figures.ticks
        ticks.pop()  # nothing has happened in it
        if len(ticks) > 1 and ticks[-1].seconds < self.interval / 2:
            ticks[-2].add(ticks.pop())
        if self.terminal:
            print()

    def show(self) -> None:
        figures, tick = self.run.figures, self.run.figures.ticks[-2]
        if not self.terminal and self.seconds() - self.shown < WITHOUT_TERMINAL:
            return
        self.shown = self.seconds()
        parts = [f"{self.seconds():4.0f} s", f"{self.run.open:,} of {self.options.sockets:,} sockets"]
        if figures.sent:
            parts += [f"{tick.sent / tick.seconds:.0f} sent/s"]
        if figures.expected:
            parts += [f"{len(tick.deliveries) / tick.seconds:.0f} received/s"]
        if len(tick.deliveries):
            parts += [f"p{percent} {ms(tick.deliveries.percentile(percent))}" for percent in (50, 99)]
        parts += [f"{figures.errors.total():,} errors", f"{figures.reconnects:,} reconnects"]
        parts += [f"own CPU {tick.cpu:.0%}"]
        line = "  ".join(parts)
        if self.terminal:
            print(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K", end="", flush=True)
        else:
            print(line, flush=True)


def ms(seconds: float) -> str:
    """Return a duration for people."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.{0 if seconds >= 0.1 else 1 if seconds >= 0.01 else 2}f} ms"
