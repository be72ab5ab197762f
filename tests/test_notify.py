"""What tells people something does so from views, signals and commands, and never if it is rolled back."""

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from client import Person
from serving import each, running
from variants import first

VARIANTS = [  # those of test_own_consumer.py
    first(server="uvicorn", channel_layer="memory", auth="session"),
    first(server="uvicorn", channel_layer="redis", auth="session_jwt"),
]


def number_in_data(frame, user):
    return frame["data"]["number"]


def own_score(frame, user):
    return {entry["user"]["id"]: entry["score"] for entry in frame["changed"]}[user]


@dataclass
class Way:
    """A function that tells people something, and where it is heard."""

    module: str
    call: str  # of `user`, an id, and `number`; from async code it begins with an a
    path: str
    frame: str
    number: Callable[[dict, int], int] = number_in_data  # what a frame tells of a user


WAYS = {
    "notify_user": Way(
        "notifications.notify",
        'notify_user(user, "news", {"number": number})',
        "/ws/notifications/",
        "notification",
    ),
    "notify_mentor": Way(
        "mentoring.notify",
        'notify_mentor(user, "news", {"number": number})',
        "/ws/mentor/{}/",
        "mentor_event",
    ),
    "notify_student": Way(
        "mentoring.notify",
        'notify_student(user, "news", {"number": number})',
        "/ws/student/{}/",
        "student_event",
    ),
    "notify_dashboard": Way(
        "dashboard.notify",
        'notify_dashboard("news", {"number": number})',
        "/ws/dashboard/",
        "dashboard_event",
    ),
    "update_leaderboard": Way(
        "leaderboard.scores",
        "update_leaderboard([(user, number)])",
        "/ws/leaderboard/",
        "leaderboard_changed",
        own_score,
    ),
}

APP = """\
from django.apps import AppConfig


class ProbesConfig(AppConfig):
    name = "probes"
    url_prefix = "probes/"

    def ready(self):
        from probes import signals
"""

CALLS = "\n".join(
    f"from {way.module} import {name}, a{name}\n"
    f"def call_{name}(user, number):\n    {way.call}\n"
    f"async def acall_{name}(user, number):\n    await a{way.call}\n"
    for name, way in WAYS.items()
)

SIGNALS = """\
from django.contrib.auth.models import Group

from probes import calls
from realtime.signals import after_save


@after_save(Group)
def tell(group, created):
    name, user, number = group.name.split()
    getattr(calls, f"call_{name}")(int(user), int(number))
"""

VIEWS = """\
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponse
from django.urls import path

from probes import calls


def group_of(name, user, number):
    return {"name": f"{name} {user} {number}"}


def call(name, user, number):
    getattr(calls, f"call_{name}")(user, number)
    return HttpResponse()


async def acall(name, user, number):
    await getattr(calls, f"acall_{name}")(user, number)
    return HttpResponse()


def sync_view(request, **which):
    return call(**which)


async def async_view(request, **which):
    return await acall(**which)


async def sync_in_async_view(request, **which):
    return await sync_to_async(call)(**which)


@transaction.atomic
def view_in_transaction(request, **which):
    return call(**which)


@transaction.atomic
def rolled_back(request, **which):
    answer = call(**which)
    transaction.set_rollback(True)
    return answer


def signal(request, **which):
    Group.objects.create(**group_of(**which))
    return HttpResponse()


async def signal_in_async_view(request, **which):
    await Group.objects.acreate(**group_of(**which))
    return HttpResponse()


@transaction.atomic
def signal_rolled_back(request, **which):
    answer = signal(request, **which)
    transaction.set_rollback(True)
    return answer


VIEWS = (
    sync_view,
    async_view,
    sync_in_async_view,
    view_in_transaction,
    rolled_back,
    signal,
    signal_in_async_view,
    signal_rolled_back,
)
urlpatterns = [path(f"{view.__name__}/<name>/<int:user>/<int:number>/", view) for view in VIEWS]
"""

COMMAND = """\
from django.core.management.base import BaseCommand, CommandError

from probes import calls
from realtime.publish import flush


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("name")
        parser.add_argument("user", type=int)
        parser.add_argument("number", type=int)

    def handle(self, name, user, number, **options):
        getattr(calls, f"call_{name}")(user, number)
        if not flush():
            raise CommandError("not sent")
"""

PROBES = {
    "__init__.py": "",
    "apps.py": APP,
    "calls.py": CALLS,
    "signals.py": SIGNALS,
    "urls.py": VIEWS,
    "management/__init__.py": "",
    "management/commands/__init__.py": "",
    "management/commands/probe.py": COMMAND,
}
FORGET = "from notifications.models import Notification; Notification.objects.all().delete()"
HEARD = (
    "sync_view",
    "async_view",
    "sync_in_async_view",
    "view_in_transaction",
    "signal",
    "signal_in_async_view",
)
NOT_HEARD = ("rolled_back", "signal_rolled_back")


@contextmanager
def added(project, name, files):
    """Have an app in a project for as long as the block lasts."""
    settings = project.folder / "config/settings.py"
    before = settings.read_text(encoding="utf-8")
    for path, text in files.items():
        file = project.folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    text = re.sub(r"^INSTALLED_APPS = \[\n", rf'\g<0>    "{name}",\n', before, flags=re.MULTILINE)
    settings.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        settings.write_text(before, encoding="utf-8")
        project.run("rm", "-r", name)


@pytest.fixture(scope="module", params=each(VARIANTS))
def site(request, installed):
    """A project with views and a command that tell, its server, and a mentor, who may hear everything."""
    project = installed(request.param)
    project.manage("shell", "-v", "0", "-c", FORGET)  # else they come first
    with (
        added(project, "probes", PROBES),
        running(project) as server,
        closing(Person(server.url, "mentor", "session")) as mentor,
    ):
        yield SimpleNamespace(project=project, url=server.url, mentor=mentor)


@pytest.mark.parametrize("name", WAYS)
async def test_it_is_heard_from_everywhere_and_not_if_it_is_rolled_back(site, name):
    way, mentor = WAYS[name], site.mentor
    async with mentor.open("/ws/notifications/") as socket:
        user = (await socket.frame("connection_established"))["user"]["id"]

    def told(frame):
        return way.number(frame, user)

    async with mentor.open(way.path.format(user)) as socket:
        await socket.frame("connection_established")
        number = 0
        for where in HEARD:
            for view in (*NOT_HEARD, where):
                number += 1
                url = f"/probes/{view}/{name}/{user}/{number}/"
                answer = await asyncio.to_thread(mentor.browser.get, url)
                assert answer.status_code == 200, (view, answer.text[:2000])
            assert told(await socket.frame(way.frame)) == number, where
        number += 1
        await asyncio.to_thread(site.project.manage, "probe", name, str(user), str(number))
        assert told(await socket.frame(way.frame)) == number


# -- The example of the README -----------------------------------------------------------------------------

SUBMISSIONS = """\
from django.apps import AppConfig


class SubmissionsConfig(AppConfig):
    name = "submissions"

    def ready(self):
        from submissions import signals  # noqa: F401
"""

GRADE = """
from django.db import transaction
from accounts.models import User
from submissions.models import Submission
student = User.objects.get(username="student")
submission = Submission.objects.create(student=student)
with transaction.atomic():
    Submission.objects.create(student=student)
    transaction.set_rollback(True)
submission.points = 9
submission.save()
"""


async def test_the_readme_s_example_works(site):
    project = site.project
    readme = (project.folder / "README.md").read_text(encoding="utf-8")
    text = readme.partition("\n## Events from signals\n")[2].partition("\n## ")[0]
    shown = dict(re.findall(r"```python\n# submissions/(\S+)\n(.+?)```", text, re.DOTALL))
    assert set(shown) == {"models.py", "signals.py"}
    called = [way for name, way in WAYS.items() if f" {name}(" in shown["signals.py"]]
    heard = [way for way in called if way.number is number_in_data and "dashboard" not in way.path]
    assert heard
    files = {"__init__.py": "", "migrations/__init__.py": "", "apps.py": SUBMISSIONS, **shown}
    with added(project, "submissions", files), closing(Person(site.url, "student", "session")) as student:
        project.run(".venv/bin/ruff", "check", "submissions")
        project.run(".venv/bin/ruff", "format", "--check", "submissions")
        project.manage("makemigrations", "submissions")
        project.manage("migrate")
        try:
            async with AsyncExitStack() as stack:
                sockets = [await stack.enter_async_context(student.open("/ws/notifications/"))]
                user = (await sockets[0].frame("connection_established"))["user"]["id"]
                sockets = [
                    await stack.enter_async_context(student.open(way.path.format(user))) for way in heard
                ]
                for socket in sockets:
                    await socket.frame("connection_established")
                await asyncio.to_thread(project.manage, "shell", "-v", "0", "-c", GRADE)
                for way, socket in zip(heard, sockets, strict=True):
                    frames = [await socket.frame(way.frame) for _ in range(2)]
                    told = [(frame["kind"], frame["data"]["points"]) for frame in frames]
                    assert told == [("submission_created", None), ("submission_graded", 9)]
        finally:
            project.manage("migrate", "submissions", "zero")
