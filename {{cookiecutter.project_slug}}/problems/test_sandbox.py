import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from problems import checks, sandbox
from problems.sandbox import Unavailable, run
from problems.seccomp import MACHINES, seccomp_filter

KERNEL_LOG = """
import ctypes, os
if ctypes.CDLL(None, use_errno=True).klogctl(10, None, 0) < 0:
    raise OSError(os.strerror(ctypes.get_errno()))
"""
UNLIMITED = {"cpu_ms": 1000, "memory_mib": 64}
HERE = Path(__file__).resolve()


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(sandbox, "SLICE_SECONDS", 0.1)


def outcome(code, given="", **limits):
    return run(code, given, **UNLIMITED | limits)


def test_a_program_reads_and_writes():
    done = outcome("print(input()[::-1])", "été\n")
    assert (done.problem, done.output, done.detail) == ("", "été\n", "")
    assert 0 < done.cpu_ms < 1000


@pytest.mark.parametrize(
    ("code", "problem", "words"),
    [
        ("def f():\n    1 / 0\nf()", "runtime_error", 'File "solution.py", line 2, in f\nZeroDivisionError'),
        ("def f(:", "runtime_error", "SyntaxError"),
        ("import sys; sys.exit(3)", "runtime_error", "ended with code 3"),
        ("import sys; sys.exit('a\\0b')", "runtime_error", "a\ufffdb"),
        ("import ctypes; ctypes.string_at(0)", "runtime_error", "ended by signal 11"),
        ("x = []\nwhile True: x.append('a' * 1_000_000)", "memory_limit", "MemoryError"),
        ("while True: print('a' * 1000)", "runtime_error", "more than 1048576 bytes"),
        ("import sys; sys.stderr.write('a' * 5_000_000)", "runtime_error", ""),
    ],
)
def test_what_fails_earns_a_verdict(code, problem, words):
    done = outcome(code)
    assert (done.problem, words in done.detail) == (problem, True), done
    assert len(done.detail) <= sandbox.DETAIL_CHARS
    assert "<string>" not in done.detail


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "import signal\nfor s in (15, 24): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    ],
)
def test_its_time_ends_and_nothing_stays(code, monkeypatch):
    monkeypatch.setattr(sandbox, "GRACE_SECONDS", 0.1)
    before = set(Path("/proc/self/fd").iterdir())
    assert outcome(code, cpu_ms=100).problem == "time_limit"
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_it_does_not_outlive_its_judge():
    """Nor if it has told the kernel that it does not die with the sandbox."""
    memory = 64 + os.getpid() % 1000  # by which it is known
    code = "import ctypes, time; print(ctypes.CDLL(None).prctl(1, 0), flush=True); time.sleep(60)"

    def stop():
        if time.monotonic() > begun + 0.5:
            raise InterruptedError

    begun = time.monotonic()
    with pytest.raises(InterruptedError):
        outcome(code, cpu_ms=30_000, memory_mib=memory, alive=stop)
    limit = str((memory + sandbox.INTERPRETER_MIB) << 20).encode()
    for _ in range(100):
        if not any(limit in command for command in commands()):
            return
        time.sleep(0.05)
    raise AssertionError("it still runs")


def commands():
    """Yield the command of each process of this machine."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            yield file.read_bytes()


def test_it_is_ended_by_whoever_waits():
    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        outcome("import time; time.sleep(60)", cpu_ms=30_000, alive=stop)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.fork()", "Operation not permitted"),
        ("import subprocess; subprocess.run(['true'])", "Operation not permitted"),
        ("import socket; socket.create_connection(('127.0.0.1', 80), 1)", "Operation not permitted"),
        ("open('/proc/self/environ')", "No such file"),
        ("import fcntl; fcntl.lockf(0, fcntl.LOCK_EX, 1)", "Operation not permitted"),
        (f"open({str(HERE)!r})", "No such file"),
        ("open('/etc/passwd')", "No such file"),
        ("open('/usr/x', 'w')", "Read-only file system"),
        ("open('/x', 'w')", "Read-only file system"),
        ("open('/dev/x', 'w')", "Read-only file system"),
        ("open('/tmp/x', 'w')", "No such file"),
        ("import os; os.memfd_create('x')", "Operation not permitted"),
        ("import os; os.unshare(os.CLONE_NEWUSER)", "Operation not permitted"),
        (KERNEL_LOG, "Operation not permitted"),
        ("import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1))", "not allowed to raise maximum limit"),
    ],
)
def test_it_reaches_nothing(code, words):
    done = outcome(code)
    assert (done.problem, words in done.detail) == ("runtime_error", True), done


def test_a_project_below_usr_is_not_seen_either(settings):
    settings.BASE_DIR = Path("/usr/share")
    code = "import os; print(os.listdir('/usr/share'), os.path.exists('/usr/bin'))"
    assert outcome(code).output == "[] True\n"
    assert "Read-only file system" in outcome("open('/usr/share/x', 'w')").detail


def test_it_knows_nothing_of_who_runs_it(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    code = "import os; print([n for n in os.environ if n not in ('PWD', 'LC_CTYPE')], os.getuid())"
    code += "\nfor n in range(3, 64):\n    try: os.fstat(n); print('open', n)\n    except OSError: pass"
    assert outcome(code).output == "[] 65534\n"


def test_it_may_have_a_loop():
    code = "import asyncio, fcntl; asyncio.run(asyncio.sleep(0)); print(fcntl.fcntl(0, fcntl.F_GETFD))"
    assert outcome(code).output == "0\n"


def test_it_may_have_some_threads():
    limit = "import resource as r; print(r.getrlimit(r.RLIMIT_NPROC))"
    code = f"{limit}; import threading as t; t.Thread(target=print, args=[1]).start()"
    assert outcome(code).output == "(64, 64)\n1\n"


def test_without_a_sandbox_nothing_runs(settings, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match="Install the package bubblewrap"):
        outcome("")


def test_no_sandbox_is_for_development_alone(db, settings):
    settings.JUDGE_SANDBOX = "none"
    settings.DEBUG = True
    assert outcome("print(input())", "1").output == "1\n"
    settings.DEBUG = False
    with pytest.raises(Unavailable, match="for DEBUG alone"):
        outcome("")
    with pytest.raises(SystemCheckError, match=r"problems\.E001"):
        call_command("check")


def test_a_sandbox_that_cannot_begin_says_why(monkeypatch):
    monkeypatch.setattr(sandbox, "_bwrap", lambda project: ["bwrap", "--ro-bind", "/nowhere", "/usr"])
    with pytest.raises(Unavailable, match=r"nowhere.*user namespaces"):
        sandbox.check()
    assert [warning.id for warning in checks.a_program_runs(None)] == ["problems.W002"]


def test_each_machine_has_a_list():
    assert {len(seccomp_filter(machine)) % 8 for machine in MACHINES} == {0}
