"""The preset learning-platform: made by one command, run by its Procfile, driven through its story."""

import asyncio
import os
import re
from contextlib import AsyncExitStack, ExitStack

import httpx
import psycopg
import pytest
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus

from browser import NOTIFICATIONS, OVERFLOW, go_live
from client import Person
from follower import Follower, missed_nothing
from hosts import in_production
from services import free_port
from serving import running, started
from test_celery_deployed import started as beside  # noqa: F401 (a fixture)
from test_notify import SUBMISSIONS, added
from test_procfile import HONCHO

pytestmark = pytest.mark.xdist_group("learning-platform")

ELSEWHERE = "http://localhost:5173"  # where Vite serves a front end in development
ARRIVES_WITHIN = 30  # seconds, by way of a worker on a busy machine

GRADING = """
from celery import shared_task

from leaderboard.scores import add_score
from mentoring.models import Mentorship
from mentoring.notify import notify_mentor, notify_student
from submissions.models import Submission


@shared_task
def grade(submission_id, points):
    submission = Submission.objects.get(pk=submission_id)
    submission.points = points
    submission.save()
    student = submission.student
    add_score(student.pk, points)
    notify_student(student.pk, "grade_received", {"grade": {"score": points}})
    for mentorship in Mentorship.objects.filter(student=student):
        notify_mentor(mentorship.mentor_id, "student_graded", {"student": student.username, "score": points})
"""

# Waits until the task is done.
GRADE_MEANWHILE = """
import time
submission = Submission.objects.create(student=student)
grade.delay_on_commit(submission.pk, 5)
for _ in range(300):
    if student.mentoring_events.filter(data__grade__score=5).exists():
        break
    time.sleep(0.1)
else:
    raise SystemExit("no worker took the task")
"""


@pytest.fixture(scope="module")
def project(system):
    """The preset's project, with the app of its README, and with the task of the leaderboard of its pages."""
    project = system("learning-platform")
    readme, tasks = (
        (project.folder / page).read_text(encoding="utf-8") for page in ("README.md", "docs/tasks.md")
    )
    shown = dict(re.findall(r"```python\n# submissions/(\S+)\n(.+?)```", readme, re.DOTALL))
    files = {"__init__.py": "", "migrations/__init__.py": "", "apps.py": SUBMISSIONS, "tasks.py": GRADING}
    _, _, text = tasks.partition("The standings of the leaderboard")
    code, entry = re.search(r"```python\n(.+?)```.+?`(\{\"task\": .+?\})` into", text, re.DOTALL).groups()
    (project.folder / "leaderboard/tasks.py").write_text(code, encoding="utf-8")
    often = entry.replace('crontab(minute="*/5")', "1.0")
    assert often != entry
    with (project.folder / "config/tasks.py").open("a", encoding="utf-8") as settings:
        settings.write(f'beat_schedule["leaderboard"] = {often}\n')
    with added(project, "submissions", files | shown):
        project.manage("makemigrations", "submissions")
        yield project


@pytest.fixture(scope="module")
def site(project):
    """What the pages are asked of, as its developer runs it."""
    project.manage("migrate")
    with running(project, "serve") as server:
        yield project, server


def shell(project, code):
    code = f"""
from accounts.models import User
from leaderboard.scores import add_score
from mentoring.notify import notify_student
from submissions.models import Submission
from submissions.tasks import grade
student = User.objects.get(username="student")
{code}"""
    return project.manage("shell", "-v", "0", "--no-imports", "--command", code)


class App(Person):
    """Somebody at a front end of its own, which has a token and shows it in the address of a socket."""

    def __init__(self, url, name):
        super().__init__(url, name, "jwt")

    def address(self, path, *, origin=ELSEWHERE, **query):
        return super().address(path, by="address", origin=origin, token=self.tokens["access"], **query)


class Socket(Follower):
    """A socket that comes back; `me` is the id of its user."""

    @property
    def me(self):
        return self.frames[0]["user"]["id"]

    def __str__(self):
        return f"{super().__str__()}: {self.frames}"

    async def hears(self, type, **fields):
        """Wait for a frame with these fields, among those that have come and those to come; return it."""

        def fitting():
            return [frame for frame in self.frames if {"type": type, **fields}.items() <= frame.items()]

        await self.until(fitting, ARRIVES_WITHIN)
        return fitting()[0]

    async def ranks(self, user, **fields):
        """Wait until the leaderboard shows this of a user."""

        def shows():
            entries = [entry for frame in self.frames for entry in frame.get("changed", ())]
            return any(entry["user"]["id"] == user and fields.items() <= entry.items() for entry in entries)

        await self.until(shows, ARRIVES_WITHIN)


async def test_its_story(project, story, beside):  # noqa: F811
    values = in_production(project)
    values["PATH"] = f"{project.folder / '.venv/bin'}:{os.environ['PATH']}"
    port, log = free_port(), project.folder.with_suffix(".web.log")

    def web():
        return started([*HONCHO, "start", "--port", port, "web"], project.folder, log, port, **values)

    async def run(code):
        return await asyncio.to_thread(shell, project, code)

    async def manage(*arguments):
        return await asyncio.to_thread(project.run, ".venv/bin/python", "manage.py", *arguments, **values)

    with story("the Procfile's release migrates"):
        assert "Applying submissions.0001_initial" in project.run(*HONCHO, "start", "release", **values)
    with story("its worker and beat start"):
        beside(project, [*HONCHO, "start", "worker", "beat"], **values)
    async with AsyncExitStack() as stack:
        with ExitStack() as serving:
            with story("its web process starts, and is healthy"):
                server = serving.enter_context(web())
            with story("a front end elsewhere gets tokens, and opens all five sockets with ?token="):
                asks = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST"}
                answer = await asyncio.to_thread(httpx.options, f"{server.url}/api/token/", headers=asks)
                assert answer.headers["Access-Control-Allow-Origin"] == ELSEWHERE
                student, mentor = App(server.url, "student"), App(server.url, "mentor")

                async def opened(person, path):
                    return await stack.enter_async_context(Socket(person, path))

                dashboard = await opened(mentor, "/ws/dashboard/")
                notifications = await opened(student, "/ws/notifications/")
                leaderboard = await opened(student, "/ws/leaderboard/")
                of_mentor = await opened(mentor, f"/ws/mentor/{dashboard.me}/")
                of_student = await opened(student, f"/ws/student/{notifications.me}/")
                for socket, type in (
                    (dashboard, "dashboard_snapshot"),
                    (leaderboard, "leaderboard_snapshot"),
                    (of_mentor, "mentor_snapshot"),
                ):
                    await socket.hears(type)
            with story("who may not see something is not let in"):
                for path in ("/ws/dashboard/", f"/ws/mentor/{dashboard.me}/"):
                    async with student.open(path) as socket:
                        assert await socket.closed() == 4403
                with pytest.raises(InvalidStatus, match="403"):
                    await student.open("/ws/notifications/", origin="http://evil.example").__aenter__()
            me = notifications.me
            with story("a submission is stored: its signal tells the dashboard and the student"):
                code = "submission = Submission.objects.create(student=student); print(submission.pk)"
                number = int(await run(f"{code}; grade.delay_on_commit(submission.pk, 87)"))
                created = {"kind": "submission_created", "data": {"submission_id": number, "points": None}}
                await dashboard.hears("dashboard_event", **created)
                await notifications.hears("notification", **created)
                await of_student.hears("student_event", **created)
            with story("a task grades it: student, mentor, dashboard and leaderboard show it at once"):
                graded = {"kind": "grade_received", "data": {"grade": {"score": 87}}}
                await of_student.hears("student_event", **graded)
                told = {"student": "student", "score": 87}
                await of_mentor.hears("mentor_event", kind="student_graded", data=told)
                assert (await of_mentor.hears("student_news"))["student"]["id"] == me
                await dashboard.hears("dashboard_event", kind="submission_graded")
                await notifications.hears("notification", kind="submission_graded")
                await leaderboard.ranks(me, rank=1, score=108)
                own = await leaderboard.request("my_rank")
                assert (own["rank"], own["score"]) == (1, 108)
            with story("the clock has the leaderboard calculated anew, after an import that told nobody"):
                with psycopg.connect(values["DATABASE_URL"]) as database:
                    database.execute("UPDATE leaderboard_score SET points = 500 WHERE user_id = %s", [me])
                await leaderboard.ranks(me, score=500)
            with story("the commands: send_test_notification, test_websocket"):
                words = ("send_test_notification", "--user-id", str(me), "--message", "from a command")
                await manage(*words)
                await notifications.hears("notification", data={"message": "from a command"})
                said = await manage("test_websocket", f"--url={server.url}")
                assert "worker: ok, 1 running" in said
            with story("the web process is stopped, and tells its sockets"):
                await asyncio.to_thread(serving.close)
                for socket in (dashboard, notifications, leaderboard, of_mentor, of_student):
                    await socket.until(lambda socket=socket: socket.codes == [4012])
        with story("meanwhile a task grades"):
            await run(GRADE_MEANWHILE)
        with story("the web process is back: all come again, and have missed nothing"), web():
            await missed_nothing([dashboard, notifications, of_mentor, of_student], ARRIVES_WITHIN)
            await of_student.hears("student_event", data={"grade": {"score": 5}})
            await leaderboard.until(lambda: leaderboard.connected, ARRIVES_WITHIN)
            snapshot = leaderboard.frames[-1]
            assert snapshot["type"] == "leaderboard_snapshot"
            assert snapshot["you"] == {"rank": 1, "score": 506}


@pytest.mark.browser
def test_its_pages(site, log_in):
    """Of one submission all five have their part."""
    mentor, student, admin = log_in("mentor"), log_in("student"), log_in("admin")
    pages = dashboard, at_mentor, notifications, at_student, leaderboard = (
        mentor,
        mentor.context.new_page(),
        student,
        student.context.new_page(),
        admin,
    )
    paths = ("/dashboard/", "/mentoring/", NOTIFICATIONS, "/mentoring/", "/leaderboard/")
    for page, path in zip(pages, paths, strict=True):
        go_live(page, path)
    names = leaderboard.locator("#entries .name")
    first, second = names.all_text_contents()
    shell(
        site[0],
        f"""
Submission.objects.create(student=student, points=87)
add_score(User.objects.get(username={second!r}).pk, 1000)
notify_student(student.pk, "grade_received", {{"grade": {{"score": 87}}}})""",
    )
    expect(dashboard.locator("#events > li").first).to_contain_text("submission created")
    expect(notifications.get_by_text("submission created").first).to_be_visible()
    expect(names).to_have_text([second, first])
    for newest in (at_student.locator("#events > li").first, at_mentor.locator("#students li")):
        expect(newest).to_contain_text(re.compile("grade received.*87", re.DOTALL))
    for page in pages:
        page.set_viewport_size({"width": 390, "height": 780})
        assert page.evaluate(OVERFLOW) == 0
