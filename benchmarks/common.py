"""What the benchmarks share: processes on cores of their own, free ports, the load generator."""

import contextlib
import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

HERE = Path(__file__).parent
BUILD = Path(tempfile.gettempdir()) / f"asgi-benchmarks-{os.getuid()}"

# The server under test has the first core for itself; the load, Valkey and this process share the others.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES = set(CORES[:1])
LOAD_CORES = set(CORES[1:]) or SERVER_CORES


def use_load_cores(sockets):
    """Leave the server's core, and allow as many open files as the system permits, which `sockets` need."""
    os.sched_setaffinity(0, LOAD_CORES)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < sockets + 100:
        sys.exit(f"A process may open {hard} files here, too few for {sockets} sockets. Raise `ulimit -Hn`.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def use_server_core():
    os.sched_setaffinity(0, SERVER_CORES)


def free_port():
    """A port below those that the kernel gives to clients, whose connections may be in its way."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def get_json(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
        return json.load(response)


@contextlib.contextmanager
def running(command, port, cwd=None, **environment):
    """The process of `command`, on the server's core, once it accepts connections on `port`."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            preexec_fn=use_server_core,
        )
        try:
            wait_for_port(process, port, output)
            yield process
        finally:
            for member in family(process):  # or workers would go on as long as they have work
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
            process.wait()


def family(process):
    """A process and all that it has started, as psutil has them; nobody if it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        main = psutil.Process(process.pid)
        return [main, *main.children(recursive=True)]
    return []


def wait_for_port(process, port, output, patience=120):
    """Return when something listens on `port`; raise with the process's output if it ends or is too slow."""
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    output.seek(0)
    raise RuntimeError(f"{process.args} did not start:\n{output.read().decode(errors='replace')}")


def cpu_seconds(process):
    """How long all threads of a process have run, also those that have ended; its children do not count."""
    clock = ~process.pid << 3 | 2  # as clock_getcpuclockid(3) makes it
    return time.clock_gettime(clock)


def family_cpu_seconds(process):
    """As `cpu_seconds`, of a process and all that it has started and that runs."""
    return sum(map(cpu_seconds, family(process)))


def rss(process):
    """The resident memory of a process in bytes."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def compiled(source):
    """The program compiled from a C file of this folder."""
    if shutil.which("cc") is None:
        sys.exit(f"There is no C compiler, cc, for benchmarks/{source}. Install gcc or clang.")
    BUILD.mkdir(exist_ok=True)
    program = BUILD / Path(source).stem
    subprocess.run(["cc", "-O2", "-o", program, HERE / source], check=True)
    return program


class Load:
    """The load generator, connected: `with Load(port, "/ws/", 5000) as load: load.run(seconds=3)`."""

    def __init__(self, port, path, sockets, *options):
        command = [BUILD / "load", *options, str(port), path, str(sockets)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.connected = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load generator ended with status {self.process.wait()}")
        return json.loads(line)

    def run(self, seconds=0, events=1, window=1, gap=0, size=200):
        """Publish events of `size` bytes, `gap` ms apart; see load.c for the meaning of each figure."""
        self.process.stdin.write(f"run {seconds} {events} {window} {gap} {size}\n")
        self.process.stdin.flush()
        return self.answer()

    def resume(self):
        """Let the stalled sockets read what is there."""
        self.process.stdin.write("resume\n")
        self.process.stdin.flush()
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.process.kill()
        self.process.communicate()


def uvicorn(application, port, python=sys.executable):
    """The command that serves an ASGI application as serving/server.py of a generated project does."""
    options = "--ws-per-message-deflate false --no-proxy-headers --no-server-header --lifespan off"
    return [
        python,
        "-m",
        "uvicorn",
        application,
        "--port",
        str(port),
        "--log-level",
        "warning",
        *options.split(),
    ]
