"""What is backed up can be restored: the commands of the Docker README, on real databases, without Docker."""

import os
import re
import sys

import pytest

from offered import DEFAULT, OPTIONS
from serving import each

SLUG = "backed_up"  # which is also the name of the database and of its owner
VARIANTS = [DEFAULT | {"database": database, "project_slug": SLUG} for database in OPTIONS["database"]]

# Runs what a container would run, here, where its volume is a folder. To come up means to migrate.
DOCKER = f"""#!{sys.executable}
import os, sys
verb, *words = sys.argv[2:]
while words[0].startswith("-") and verb != "up":
    del words[0]
commands = {{"exec": words[1:], "run": words[1:], "up": ["python", "manage.py", "migrate", "--noinput"]}}
if verb in commands:
    command = [word.replace("/data", os.environ["VOLUME"]) for word in commands[verb]]
    os.execvp(command[0], command)
"""

WRITE = "User.objects.create_user('{0}'); Room.objects.create(slug='{0}', name='Ünïcode')"
READ = "print('|', *User.objects.order_by('pk').values_list('username', flat=True), Room.objects.last().name)"


class Host:
    """A machine with a project, on which `docker compose` can be called."""

    def __init__(self, project, folder, postgresql):
        self.project, volume = project, folder / "volume"
        volume.mkdir()
        docker = folder / "docker"
        docker.write_text(DOCKER)
        docker.chmod(0o755)
        path = [folder, project.folder / ".venv/bin"]
        self.environment = {"VOLUME": str(volume)}
        if postgresql:
            path.append(postgresql.server.bin_path)
            url = postgresql.add_database(SLUG, project.dotenv()["DATABASE_URL"])
            self.environment |= {"PGHOST": str(postgresql.folder), "PGPORT": str(postgresql.port)}
        else:
            self.database = volume / "db.sqlite3"
            url = f"sqlite:///{self.database}"
        self.environment |= {"DATABASE_URL": url, "PATH": ":".join(map(str, [*path, os.environ["PATH"]]))}

    def shell(self, command):
        return self.project.run("bash", "-ec", command, **self.environment)

    def django(self, code):
        imports = "from accounts.models import User; from rooms.models import Room; "
        return self.shell(f'python manage.py shell --command "{imports}{code}"')

    def commands(self, heading):
        """Return the commands below a heading of the README, block by block."""
        text = (self.project.folder / "deploy/docker/README.md").read_text(encoding="utf-8")
        part = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        return re.findall(r"```\n(.+?)```", part, re.DOTALL)


@pytest.mark.parametrize("variant", each(VARIANTS))
def test_what_was_lost_is_there_again(variant, installed, request, tmp_path):
    with_server = variant["database"] == "postgresql"
    host = Host(installed(variant), tmp_path, with_server and request.getfixturevalue("postgresql"))
    (back_up,), (restore, clean_up) = host.commands("Back up"), host.commands("Restore")
    host.shell("docker compose up --detach")
    host.django(WRITE.format("before"))
    host.shell(back_up)

    host.django(WRITE.format("after"))
    if with_server:
        host.django("User.objects.all().delete()")
    else:
        host.database.write_bytes(b"what a broken disk leaves")
    host.shell(restore)
    assert "| before Ünïcode\n" in host.django(READ)
    host.django(WRITE.format("again"))
    host.shell(clean_up)
    assert "| before again Ünïcode\n" in host.django(READ)
