"""A machine with a systemd of its own, for what only that can prove.

Its processes live in namespaces of their own, and its files are this machine's, under an overlay that is gone
when it is. It shares the network.
"""

import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

BOOTS_WITHIN = 30  # seconds
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts")

# What runs first. $1 is the project's folder, $2 where the machine has it, $3 the Python of its .venv.
BOOT = r"""
mount -t tmpfs machine "$PWD"
cd "$PWD"
mkdir group above work root project
mount -t cgroup2 cgroup group
mkdir "group/$NAME"
echo $$ > "group/$NAME/cgroup.procs"

mount -t overlay overlay -o lowerdir=/,upperdir=above,workdir=work root
for folder in root/dev root/run root/tmp; do mount -t tmpfs tmpfs $folder; done
chmod 1777 root/tmp
mount -t proc proc root/proc
mount -t sysfs -o ro sysfs root/sys
mkdir root/dev/pts root/dev/shm root/run/lock
mount -t devpts devpts root/dev/pts
for device in full null random tty urandom zero; do
    touch root/dev/$device
    mount --bind /dev/$device root/dev/$device
done
ln -s /proc/self/fd root/dev/fd
ln -s pts/ptmx root/dev/ptmx

# Of all that a machine starts by itself, only the log.
rm -rf root/etc/fstab root/etc/systemd/system/*.wants root/lib/systemd/system/*.wants
printf '[Unit]\nWants=systemd-journald.service\n' > root/etc/systemd/system/site.target

# The project without its .env, and its Python, which may lie in a home directory.
mkdir -p "root/$2" root/usr/local/python project/above project/work
mount -t overlay overlay -o "lowerdir=$1,upperdir=project/above,workdir=project/work" "root/$2"
mount --bind "$3" root/usr/local/python
rm "root/$2/.env"
ln -sf /usr/local/python/bin/python3 "root/$2/.venv/bin/python"
echo /usr/local/python/lib > root/etc/ld.so.conf.d/python.conf
ldconfig -r root
sed -i 's|^home = .*|home = /usr/local/python/bin|' "root/$2/.venv/pyvenv.cfg"

# No chroot, in which units could not have user namespaces.
exec unshare --cgroup sh -ec '
    mount -t cgroup2 cgroup root/sys/fs/cgroup
    cd root
    pivot_root . mnt
    umount --lazy mnt
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other \
        /lib/systemd/systemd --unit=site.target --log-target=journal --show-status=no'
"""

CLEAN = r"""
mount -t cgroup2 cgroup "$PWD"
cd "$PWD"
find "$NAME" -depth -type d -exec rmdir {} +
"""


class Machine:
    """A machine that runs; `process` is its outside, `errors` what it says before it has a log."""

    def __init__(self, process, errors):
        self.process, self.errors = process, errors

    def init(self):
        """Return its first process, once that is systemd."""
        assert self.process.poll() is None, self.errors.read_text()
        children = psutil.Process(self.process.pid).children()
        return next((child for child in children if child.name() == "systemd"), None)

    def enter(self, script):
        """Run shell commands as root; return how that ended."""
        return subprocess.run(
            ["nsenter", f"--target={self.init().pid}", "--all", "sh", "-ec", script],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, script):
        """Run shell commands as root, none of which may fail; return what they print."""
        done = self.enter(script)
        if done.returncode:
            log = self.enter("journalctl --no-pager --lines=60").stdout
            raise AssertionError(f"{script}\n{done.stdout[-8000:]}\n{log}")
        return done.stdout

    def log(self, unit):
        """Return what a unit has written."""
        return self.run(f"journalctl --no-pager --output=cat --unit={unit}")


@contextmanager
def booted(project, folder):
    """Boot a `Machine` that has a project in that folder, installed but without its .env."""
    python = Path(os.path.realpath(project.folder / ".venv/bin/python")).parents[1]
    with TemporaryDirectory(prefix="machine-") as scratch:
        options = {"cwd": scratch, "env": {**os.environ, "NAME": Path(scratch).name}}
        command = [*NAMESPACES, "sh", "-ec", BOOT, "boot", project.folder, folder, python]
        errors = Path(scratch, "errors")
        with errors.open("w") as stderr:
            process = subprocess.Popen(command, stderr=stderr, **options)
        machine = Machine(process, errors)
        try:
            deadline = time.monotonic() + BOOTS_WITHIN
            while not (machine.init() and machine.enter("systemctl is-active site.target").returncode == 0):
                assert time.monotonic() < deadline, "it does not come up"
                time.sleep(0.05)
            yield machine
        finally:
            if process.poll() is None:
                for child in psutil.Process(process.pid).children():
                    child.kill()  # and with the first process of a machine, all others
            process.wait()
            subprocess.run(["unshare", "--mount", "sh", "-ec", CLEAN], check=True, **options)
