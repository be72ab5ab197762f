"""What developers live with: `make run` reloads and tells what is wrong, and a commit is checked."""

import time
from contextlib import contextmanager

import httpx
import pytest

from serving import each, running
from variants import PARTIAL, first

ONE_OF_EACH_SERVER = {variant["server"]: variant for variant in PARTIAL}.values()

TO_NOWHERE = """
class Lost(models.Model):
    to = models.ForeignKey("nowhere.Nothing", on_delete=models.CASCADE)
"""
NEVER_CALLED = """
from realtime.consumer import RealtimeConsumer


class Wrong(RealtimeConsumer):
    async def connect(self):
        pass
"""
MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = []
"""


class Source:
    """A file of a project that a developer changes while the server runs."""

    def __init__(self, path, server):
        self.path, self.server = path, server
        self.before = path.read_text(encoding="utf-8")

    def add(self, text, condition):
        """Add text, and wait until the server has reloaded, which the condition tells."""
        self.path.write_text(f"{self.before}\n{text}\n", encoding="utf-8")
        self.wait_until(condition)

    def mend(self):
        """Undo what was added, and wait until the server serves again."""
        self.restore()
        self.wait_until(lambda: httpx.get(self.server.url).status_code == 200)

    def restore(self):
        self.path.write_text(self.before, encoding="utf-8")

    def wait_until(self, condition):
        before, touched = len(self.server.output()), time.monotonic()

        def reloaded():
            nonlocal touched
            noticed = "reloading" in self.server.output()[before:]
            if not noticed and time.monotonic() - touched > 2:  # its first look has come after the change
                self.path.touch()
                touched = time.monotonic()
            return condition()

        self.server.wait_until(reloaded)


@contextmanager
def developing(project, *paths):
    """Run `make run`; yield the server and these files as `Source`s, which are restored at the end."""
    with running(project, "run") as server:
        sources = [Source(project.folder / path, server) for path in paths]
        try:
            yield server, *sources
        finally:
            for source in sources:
                source.restore()


@pytest.mark.parametrize("variant", each(ONE_OF_EACH_SERVER))
def test_make_run_reloads_and_tells_of_migrations_that_are_not_applied(variant, installed):
    project = installed(variant)
    migration = project.folder / "accounts/migrations/9999_not_applied.py"
    with developing(project, "config/settings.py") as (server, settings):
        assert "System check identified no issues" in server.output()
        assert "unapplied migration" not in server.output()
        migration.write_text(MIGRATION, encoding="utf-8")
        try:
            name = "Renamed meanwhile"
            page = f"{server.url}/api/site/" if variant["frontend"] == "react" else server.url
            settings.add(f'PROJECT_NAME = "{name}"', lambda: name in httpx.get(page).text)
            assert "1 unapplied migration(s)" in server.output()
        finally:
            migration.unlink()


@pytest.mark.parametrize("variant", each(ONE_OF_EACH_SERVER))
def test_make_run_tells_of_errors_and_goes_on_when_they_are_mended(variant, installed):
    """Those that Django's checks find, and those of a module that no request has asked for."""
    with developing(installed(variant), "accounts/models.py", "health/views.py") as (server, models, views):
        models.add(TO_NOWHERE, lambda: "when this is mended" in server.output())
        assert "(fields.E300)" in server.output()
        assert "Traceback" not in server.output()
        models.mend()
        views.add("def unfinished(:", lambda: "SyntaxError" in server.output())
        assert "def unfinished(:" in server.output()
        views.mend()
        views.add(NEVER_CALLED, lambda: "would never be called" in server.output())
        views.mend()


@pytest.mark.parametrize("variant", each([first(channel_layer="memory", database="sqlite")]))
def test_a_server_for_production_runs_no_checks(variant, installed):
    with running(installed(variant)) as server:
        assert "System check" not in server.output()
