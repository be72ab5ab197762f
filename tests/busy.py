"""Limits in seconds on a machine that others keep busy, too."""

import os
from contextlib import suppress
from pathlib import Path


class Busy:
    """How long a test and these servers wait for a CPU from now on, for each second that they have one."""

    def __init__(self, *servers):
        self.servers = servers
        self.before = self.times()

    def times(self):
        """Return for each thread its nanoseconds with a CPU, and those that it has waited for one."""
        pids = [os.getpid(), *(process.pid for server in self.servers for process in server.processes())]
        found = {}
        for thread in (thread for pid in pids for thread in Path(f"/proc/{pid}/task").glob("*/schedstat")):
            with suppress(OSError):  # it has ended
                found[thread] = [int(figure) for figure in thread.read_text().split()[:2]]
        return found

    def limit(self, seconds):
        """Return how long that may take which is over in so many seconds on a machine that is not busy."""
        ran = waited = 0
        for thread, (running, waiting) in self.times().items():
            ran_before, waited_before = self.before.get(thread, (0, 0))
            ran += running - ran_before
            waited += waiting - waited_before
        return seconds * (1 + waited / ran) if ran else seconds
