"""The processes of a project that chaos happens to: its servers, and a `manage.py shell`."""

import asyncio
import json
import shlex
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from services import HOST, free_port
from serving import ENVIRONMENT, started

BACK_WITHIN = 30  # seconds after a fault in which everyone has to be served again


class Node:
    """One process of the site (with its children), on a port that it keeps."""

    def __init__(self, project, name):
        self.project, self.name, self.port, self.lives = project, name, free_port(), 0
        *_, command = project.make("--dry-run", "serve").splitlines()
        self.command = shlex.split(command)
        self.logs, self.life = [], ExitStack()

    def start(self):
        self.logs.append(self.project.folder.with_suffix(f".{self.name}{len(self.logs)}.log"))
        arguments = (self.command, self.project.folder, self.logs[-1], self.port)
        environment = {"HOST": HOST, "PORT": str(self.port), "JWT_ACCESS_MINUTES": "600"}
        self.server = self.life.enter_context(started(*arguments, **environment))

    def kill(self):
        for process in self.server.processes():
            process.kill()
        self.life.close()

    def stop(self):
        """Send SIGTERM, wait for the end, and fail if anything is left."""
        self.life.close()

    def figures(self, pooled):
        """Return what may not grow, of all its processes together.

        Connections to the ports in `pooled` are counted by themselves: a pool has as many as were ever in use
        at the same time, also those that were reset, until it takes them up again.
        """
        processes = self.server.processes()
        kept = sum(bool(c.raddr) and c.raddr.port in pooled for c in self.connections())
        kept += sum(map(resets, processes))
        return {
            "RSS MiB": self.server.memory(),
            "file descriptors": sum(process.num_fds() for process in processes) - kept,
            "pooled connections": kept,
            "threads": sum(process.num_threads() for process in processes),
        }

    def connections(self):
        return [c for process in self.server.processes() for c in process.net_connections("tcp")]

    def peers(self):
        """Return the ports from which its open connections come."""
        return {c.raddr.port for c in self.connections() if c.raddr and c.laddr.port == self.port}


def resets(process):
    """Return how many sockets of a process were reset: no table of the kernel has them any more."""
    held = 0
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            held += str(descriptor.readlink()).startswith("socket:")
    return max(0, held - len(process.net_connections("all")))


class DatabaseAway(Exception):
    pass


class Shell:
    """The project's `manage.py shell`, which does what `chaos_shell.py` names, one thing at a time."""

    def __init__(self, project):
        self.project, self._turn = project, asyncio.Lock()

    async def __aenter__(self):
        script = Path(__file__).with_name("chaos_shell.py")
        self._log = self.project.folder.with_suffix(".shell.log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            self.project.folder / ".venv/bin/python", "manage.py", "shell", "--no-imports",
            "--command", f"exec(open({str(script)!r}).read())",
            cwd=self.project.folder, env=ENVIRONMENT, limit=2**30,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        return self

    async def __aexit__(self, *_):
        self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(15):
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._log.close()

    async def ask(self, name, *arguments):
        """Return what a function of `chaos_shell.py` returns, unless the database failed it."""
        async with self._turn:
            self._process.stdin.write(json.dumps([name, *arguments]).encode() + b"\n")
            line = await self._process.stdout.readline()
        assert line, f"the shell has ended: see {self._log.name}"
        answer = json.loads(line)
        if "error" in answer:
            raise DatabaseAway(answer["error"])
        return answer["is"]

    async def must(self, name, *arguments):
        """Ask until the database does not fail it, for as long as everything has to come back."""
        deadline = time.monotonic() + BACK_WITHIN
        while True:
            try:
                return await self.ask(name, *arguments)
            except DatabaseAway:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.2)
