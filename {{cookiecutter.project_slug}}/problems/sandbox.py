"""Runs a program that nobody has looked at: without network, files, other processes, or more than its share.

bubblewrap (`bwrap`) gives it a world of its own: this machine's /usr and Python to read, no place to write
(empty files take memory, too, which nothing limits), no environment, no capabilities. Inside, limits of the
kernel hold for CPU time, memory, threads (for root they do not), open files and what it writes, and
seccomp.py keeps it to one process. Whatever it does, it is killed when its time is over.
"""

import json
import math
import os
import platform
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from django.conf import settings

from problems.seccomp import MACHINES, seccomp_filter

PYTHON = os.path.realpath(sys.executable)
OUTPUT_BYTES = 1_048_576  # that a program may write
DETAIL_CHARS = 2000  # of what it says when it fails
INTERPRETER_MIB = 32  # that Python itself takes of the address space
START_MS = 200  # of CPU time, that Python itself may take
GRACE_SECONDS = 2  # beside three times its CPU time, in which a program has to end
SLICE_SECONDS = 0.5  # between two signs of life

# Sets limits that nobody raises again, then is the program. A traceback begins with the program's own lines.
RUNNER = """
import resource, sys, traceback
code, memory, seconds, output = map(int, sys.argv[1:])
with open(code, "rb") as file:
    program = file.read()
sys.excepthook = lambda kind, error, trace: traceback.print_exception(kind, error, trace and trace.tb_next)
sys.argv = ["solution.py"]
for limit, value, most in (
    (resource.RLIMIT_CPU, seconds, seconds + 1),
    (resource.RLIMIT_AS, memory, memory),
    (resource.RLIMIT_FSIZE, output, output),
    (resource.RLIMIT_NOFILE, 64, 64),
    (resource.RLIMIT_NPROC, 64, 64),
    (resource.RLIMIT_CORE, 0, 0),
):
    resource.setrlimit(limit, (value, most))
exec(compile(program, "solution.py", "exec"), {"__name__": "__main__"})
"""


class Unavailable(Exception):
    """Why no program can be run here, and the cure; for operators."""


@dataclass(frozen=True)
class Outcome:
    """What became of a program: `problem` is empty, or the verdict that it has earned."""

    problem: str
    output: str
    detail: str
    cpu_ms: int


def run(
    code: str, given: str, *, cpu_ms: int, memory_mib: int, alive: Callable[[], None] = lambda: None
) -> Outcome:
    """Run a program in Python, which reads what is given; blocks until it has ended, or was ended.

    `alive` is called twice a second meanwhile; what it raises ends the program. Raises `Unavailable`.
    """
    jail = _jail()
    with TemporaryFile() as program, TemporaryFile() as stdin, TemporaryFile() as out, TemporaryFile() as err:
        for file, text in ((program, code), (stdin, given)):
            file.write(text.encode(errors="surrogatepass"))
            file.seek(0)
        seconds = math.ceil((cpu_ms + START_MS) / 1000)
        limits = (program.fileno(), (memory_mib + INTERPRETER_MIB) << 20, seconds, OUTPUT_BYTES)
        command = [PYTHON, "-I", "-S", "-B", "-X", "utf8", "-c", RUNNER, *map(str, limits)]
        wall = 3 * cpu_ms / 1000 + GRACE_SECONDS
        ended = _run(jail, command, [program.fileno()], (stdin, out, err), wall, alive)
        return _outcome(ended, cpu_ms, _read(out, OUTPUT_BYTES), _read(err, OUTPUT_BYTES))


def check() -> None:
    """Run a program that does nothing; raises `Unavailable`."""
    if problem := run("", "", cpu_ms=5000, memory_mib=64).detail:
        raise Unavailable(f"a program that does nothing fails in the sandbox: {problem}")


@dataclass(frozen=True)
class _Ended:
    status: int | None  # 128 and the signal, if one has ended it; None: it was killed here
    cpu_ms: int


def _run(jail, command, fds, files: tuple[IO, IO, IO], seconds, alive) -> _Ended:
    """Run a command in the sandbox for so many seconds at most, and leave nothing of it behind."""
    with TemporaryFile() as rules, TemporaryFile() as said:
        rules.write(seccomp_filter() if jail else b"")
        rules.seek(0)
        if jail:
            jail = [*jail, "--seccomp", str(rules.fileno()), "--json-status-fd", str(said.fileno()), "--"]
            fds = [*fds, rules.fileno(), said.fileno()]
        stdin, out, err = files
        process = subprocess.Popen(  # noqa: S603  (that is what this is for)
            [*jail, *command],
            stdin=stdin,
            stdout=out,
            stderr=err,
            env={},
            cwd="/",
            pass_fds=fds,
            start_new_session=True,
        )
        over = False
        try:
            over = _wait(process.pid, seconds, alive)
        finally:
            if not over and (program := _pid(said)):  # it can see to it that it does not die with bwrap
                with suppress(ProcessLookupError):
                    os.kill(program, signal.SIGKILL)
            os.killpg(process.pid, signal.SIGKILL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        cpu_ms = round((usage.ru_utime + usage.ru_stime) * 1000)
        if not over:
            return _Ended(None, cpu_ms)
        code = _status(_read(said, 10_000)) if jail else process.returncode
        if code is None:
            raise Unavailable(f"bwrap could not begin: {_read(err, 500).strip()}. {CURE}")
        return _Ended(code if code >= 0 else 128 - code, cpu_ms)


def _wait(pid: int, seconds: float, alive: Callable[[], None]) -> bool:
    """Wait until a process has ended; False if it has not after so many seconds."""
    poll, deadline = select.poll(), time.monotonic() + seconds
    with os.fdopen(os.pidfd_open(pid), "rb", buffering=0) as handle:
        poll.register(handle, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            if poll.poll(min(left, SLICE_SECONDS) * 1000):
                return True
            alive()
    return False


def _outcome(ended: _Ended, cpu_ms: int, output: str, errors: str) -> Outcome:
    last = errors.rstrip().rpartition("\n")[2]
    if ended.status is None or ended.cpu_ms > cpu_ms + START_MS or ended.status == 128 + signal.SIGXCPU:
        problem, detail = "time_limit", f"It had not ended after {cpu_ms} ms."
    elif ended.status == 0:
        problem, detail = "", ""
    elif last.startswith("MemoryError"):
        problem, detail = "memory_limit", errors
    elif last.startswith("OSError: [Errno 27]"):
        problem, detail = "runtime_error", f"It wrote more than {OUTPUT_BYTES} bytes."
    else:
        problem, detail = "runtime_error", errors.strip() or _why(ended.status)
    return Outcome(problem, output, detail[-DETAIL_CHARS:], ended.cpu_ms)


def _why(status: int) -> str:
    return f"It was ended by signal {status - 128}." if status > 128 else f"It ended with code {status}."


def _read(file: IO, most: int) -> str:
    file.seek(0)
    return file.read(most).decode(errors="replace").replace("\0", "\ufffd")  # which no database takes


def _pid(said: IO) -> int | None:
    """The program's process, as bwrap says while that runs; None if it has not begun."""
    found = re.search(rb'"child-pid": *(\d+)', os.pread(said.fileno(), 10_000, 0))
    return int(found[1]) if found else None


def _status(said: str) -> int | None:
    """The code with which the program has ended, as bwrap says; None if it never began."""
    codes = [json.loads(line).get("exit-code") for line in said.splitlines()]
    return next((code for code in codes if code is not None), None)


# The sandbox

CURE = (
    "It needs user namespaces: see kernel.apparmor_restrict_unprivileged_userns and, in a container,"
    " its seccomp and AppArmor profiles; docs/judge.md tells more."
)


def why_not() -> str:
    """What is wrong with the settings or the machine, and the cure; empty if nothing is."""
    if settings.JUDGE_SANDBOX == "none":
        if settings.DEBUG:
            return ""
        return "JUDGE_SANDBOX=none lets programs do what this server may; it is for DEBUG alone."
    if shutil.which("bwrap") is None:
        return "There is no bwrap, so nothing is judged. Install the package bubblewrap."
    if platform.system() != "Linux" or platform.machine() not in MACHINES:
        return f"Programs are judged on Linux alone, on {' or '.join(MACHINES)}. Run the worker there."
    return ""


def _jail() -> list[str]:
    if problem := why_not():
        raise Unavailable(problem)
    return _bwrap(settings.BASE_DIR) if settings.JUDGE_SANDBOX == "bwrap" else []


@cache
def _bwrap(project: Path) -> list[str]:
    """The command that makes a sandbox in which the folder of this project is not seen."""
    shown = [Path(place) for place in ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", sys.base_prefix)]
    hidden = str(project)
    options = [
        ["--unshare-all"],
        ["--unshare-user"],  # also where this runs as root
        ["--uid", "65534"],
        ["--gid", "65534"],
        ["--cap-drop", "ALL"],
        ["--die-with-parent"],
        ["--new-session"],
        ["--as-pid-1"],  # so that bwrap waits for it, and its CPU time is known
        *(
            ["--symlink", str(place.readlink()), str(place)]
            if place.is_symlink()
            else ["--ro-bind", str(place), str(place)]
            for place in shown
            if place.exists()
        ),
        ["--tmpfs", hidden, "--remount-ro", hidden] if any(map(project.is_relative_to, shown)) else [],
        ["--dev-bind", "/dev/null", "/dev/null"],
        ["--remount-ro", "/"],
        ["--chdir", "/"],
    ]
    return [str(shutil.which("bwrap")), *(word for option in options for word in option)]
