"""Container images of projects: built by buildah from their own Dockerfile, run by what stands in them."""

import fcntl
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import pytest

BASE = "docker.io/library/python:{}-slim"
PYTHON = "{}.{}".format(*sys.version_info)

# The root file system is read-only but for /tmp, as in compose.yaml and in Kubernetes. Each step ends in an
# `exec`, so signals reach the command itself; `buildah run` would answer SIGTERM by killing it.
CONTAINER = """set -eu
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs tmpfs "$ROOT/tmp"
for volume in $VOLUMES; do mount --bind "${volume%%:*}" "$ROOT/${volume#*:}"; done
exec chroot --userspec="$OWNER" --groups= "$ROOT" "$@"
"""


def buildah(*arguments, store=()):
    """Run buildah, with the options that name a store of images; return what it prints, or fail with it."""
    done = subprocess.run(
        ["buildah", *map(str, (*store, *arguments))],
        env=os.environ | {"BUILDAH_ISOLATION": "chroot"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.args}\n{done.stdout[-6000:]}{done.stderr[-6000:]}"
    return done.stdout


def make_base():
    """Make the image that projects start from, once on a machine, whoever of the tests asks first."""
    with (Path(gettempdir()) / "base_image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        script = Path(__file__).with_name("base_image.sh")
        subprocess.run(["bash", script, PYTHON, sys.base_prefix], check=True)


@contextmanager
def store_in_memory():
    """Yield the options for a store on top of the disk's, in memory, where images are built twice as fast."""
    disk = json.loads(buildah("info"))["store"]
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with TemporaryDirectory(prefix="images-", dir=memory) as folder:
        yield (
            f"--root={folder}/root",
            f"--runroot={folder}/run",
            f"--storage-driver={disk['GraphDriverName']}",
            f"--storage-opt={disk['GraphDriverName']}.imagestore={disk['GraphRoot']}",
        )


class Image:
    """The image of a project, with a container made from it."""

    def __init__(self, project, store):
        project.make("lock")
        self.name, self.buildah = f"localhost/{project.folder.name}", partial(buildah, store=store)
        options = ("--format=docker", "--network=host", "--pull-never", f"--tag={self.name}")
        start = time.monotonic()
        self.buildah("build", *options, project.folder)
        self.building = time.monotonic() - start  # seconds
        self.config = self._inspect(self.name)["Docker"]["config"]
        self.container = self.buildah("from", "--pull-never", self.name).strip()
        self.root = Path(self.buildah("mount", self.container).strip())

    def _inspect(self, name):
        return json.loads(self.buildah("inspect", "--type=image", name))

    def size(self):
        """Return how many bytes the project has put on its base image."""
        own, base = (
            json.loads(self._inspect(name)["Manifest"])["layers"] for name in (self.name, BASE.format(PYTHON))
        )
        return sum(layer["size"] for layer in own[len(base) :])

    def command(self, *command, volumes=(), **environment):
        """Return what runs a command in the container, or that of the image, with its user and variables.

        `volumes` are texts as "/a/folder/of/this/machine:/its/path/in/the/container".
        """
        variables = dict(variable.split("=", 1) for variable in self.config["Env"]) | environment
        outside = {"ROOT": self.root, "OWNER": self.config["User"], "VOLUMES": " ".join(volumes)}
        return [
            *("env", *(f"{name}={value}" for name, value in outside.items())),
            *("unshare", "--mount", "sh", "-c", CONTAINER, "sh"),
            *("env", "--ignore-environment", f"--chdir={self.config['WorkingDir']}"),
            *(f"{name}={value}" for name, value in variables.items()),
            *(command or self.config["Cmd"]),
        ]

    def remove(self):
        self.buildah("rm", self.container)
        self.buildah("rmi", self.name)


def inside(process, command):
    """Return what runs a command of `Image.command` in the container of a process, as `docker exec` does."""
    (owner,) = [text.removeprefix("OWNER=") for text in command if text.startswith("OWNER=")]
    user, group = owner.split(":")
    there = (f"--target={process.pid}", "--mount", "--root", f"--setuid={user}", f"--setgid={group}")
    return ["nsenter", *there, *command[command.index("--ignore-environment") - 1 :]]


@pytest.fixture(scope="session")
def image():
    """Return a function that gives the `Image` of a project, built once. Needs root and buildah."""
    make_base()
    images = {}
    with store_in_memory() as store:

        def image(project):
            if project.folder not in images:
                images[project.folder] = Image(project, store)
            return images[project.folder]

        yield image
        for built in images.values():
            built.remove()
