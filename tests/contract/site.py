"""The site of the contract: a variant that is being served, with a probe, and who uses it."""

from contextlib import suppress
from itertools import count
from urllib.parse import urlencode

import httpx

from client import Person
from conversation import new_room

PROBE = "/ws/probe/"
SOON = 0.1  # seconds, for a ping while others keep the server busy
AT_ONCE = 1  # seconds
serial = count(1)


class Site:
    """A variant that is being served, and who uses it."""

    def __init__(self, project, server):
        self.project, self.server, self.url = project, server, server.url
        self.variant = project.variant
        self.has_sessions = self.variant["auth"] != "jwt"
        self.has_tokens = self.variant["auth"] != "session"
        self.has_redis = self.variant["channel_layer"] != "memory"
        self.student, self.mentor, self.admin = map(self.person, ("student", "mentor", "admin"))
        if self.variant["auth"] == "session_jwt":
            self.mentor.by = "jwt"

    def person(self, username, **options):
        return Person(self.url, username, "session" if self.has_sessions else "jwt", **options)

    def new_room(self):
        return new_room(self.student)

    def make_user(self):
        """Make a user in the admin; return the person."""
        user = f"user-{next(serial)}"
        person = self.person(user)
        password = {"password1": person.password, "password2": person.password, "usable_password": "true"}
        answer = self.admin.post("/admin/accounts/user/add/", username=user, **password)
        assert answer.status_code == 302, answer.text
        person.id = int(answer.headers["location"].split("/")[-3])
        return person

    def cleanups(self, run):
        """Return what the probe's sockets of a run wrote when they were gone, a line each."""
        return [line for line in self.written() if line.startswith(f"{urlencode({'run': run})} ")]

    def written(self):
        """Return the lines that the probe wrote, of sockets and of processes that were gone."""
        file = self.project.folder / "probe/closed.txt"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def health(self):
        return httpx.get(f"{self.url}/api/health/", timeout=10)

    def is_healthy_again(self):
        """Ask briefly: what waits for an event from before the restart would hold up the next question."""
        with suppress(httpx.ReadTimeout):
            return httpx.get(f"{self.url}/api/health/", timeout=1).status_code == 200
