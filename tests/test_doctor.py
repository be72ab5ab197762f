"""`manage.py test_websocket`, the doctor: it names what is wrong, and the cure, in a line."""

import shutil
import ssl
import subprocess
from contextlib import contextmanager

import pytest

from proxy import nginx, upstream
from services import HOST, free_port
from serving import each, running
from variants import DEPLOYED

VARIANTS = [variant for variant in DEPLOYED if variant["server"] == "uvicorn"]
ELSEWHERE = "127.0.0.3"
FORGET = """
from django.db.migrations.recorder import MigrationRecorder
MigrationRecorder.Migration.objects.filter(app="admin").delete()
"""


@pytest.fixture(scope="module", params=each(VARIANTS))
def project(request, installed):
    return installed(request.param)


@pytest.fixture(scope="module")
def server(project):
    with running(project, FORWARDED_ALLOW_IPS=HOST) as server:
        yield server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with a certificate that nobody trusts."""
    folder = tmp_path_factory.mktemp("certificates")
    files = ("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem")
    names = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}")
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", *files, *names)
    subprocess.run(make, check=True, stderr=subprocess.DEVNULL)
    assert ssl.create_default_context(cafile=folder / "fullchain.pem")
    return folder


@pytest.fixture
def proxied(project, server, certificates, tmp_path):
    """Return a function that runs nginx with the project's files, one text in them replaced."""

    @contextmanager
    def proxied(before="", after="", port=server.port):
        shutil.copytree(project.folder / "deploy/nginx", tmp_path / "deploy/nginx")
        path = tmp_path / "deploy/nginx/site.conf"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after) if before else text, encoding="utf-8")
        with nginx(tmp_path, upstream([port]), certificates=certificates) as proxy:
            proxy.tls_url = f"https://{HOST}:{proxy.tls_port}"
            yield proxy

    return proxied


def examine(project, *arguments, fails=True, **environment):
    """Run the doctor; return what it says of each thing, but for what it did not try."""
    command = (project.folder / ".venv/bin/python", "manage.py", "test_websocket", *arguments)
    said = project.run(*command, fails=fails, **environment)
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if ": not tried, because of " not in line]
    summary = [line for line in lines if line.startswith("CommandError: ")]
    assert len(summary) == fails, said
    return dict(line.split(": ", 1) for line in lines if line not in summary)


def wrong(told):
    return {name: text for name, text in told.items() if not text.startswith("ok")}


def test_all_is_well_through_nginx_with_tls(project, proxied, certificates):
    with proxied() as proxy:
        trust = {"SSL_CERT_FILE": str(certificates / "fullchain.pem")}
        told = examine(project, "--url", proxy.tls_url, "--idle", "1", fails=False, **trust)
        assert len(told) == 11
        assert told["proxy headers"] == f"ok, the server sees {HOST} over https"
        refused = wrong(examine(project, "--url", proxy.tls_url))
        assert list(refused) == ["server"]
        assert "is not trusted: self-signed certificate. It has to be" in refused["server"]
        assert "answers 400" in wrong(examine(project, "--url", f"http://{HOST}:{proxy.tls_port}"))["server"]
        elsewhere = wrong(examine(project, "--url", f"{proxy.url}/elsewhere"))
        assert "/elsewhere/api/health/ answers 404, so something else is there" in elsewhere["server"]


# What stands in the project's nginx files, what instead of it, where that shows, and words of the cure.
MISTAKES = {
    "no upgrade": (
        "proxy_set_header Upgrade $websocket;",
        "",
        "handshake",
        "The proxy has to pass on the headers Upgrade and Connection",
    ),
    "no host": ("proxy_set_header Host $http_host;", "", "handshake", "has to pass on Host as it comes"),
    "no scheme": (
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "",
        "handshake",
        "The proxy has to send X-Forwarded-Proto, and FORWARDED_ALLOW_IPS has to have",
    ),
    "no client": (
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "",
        "proxy headers",
        "That has to send X-Forwarded-For.",
    ),
    "a login before": (
        "proxy_pass http://site;",
        "return 302 https://sso.example.com/login?next=/;",
        "server",
        "Something asks for a login before the server does: let /api/health/ and /ws/ pass.",
    ),
    "another address": (
        "proxy_pass http://site;",
        "return 301 https://example.com$request_uri;",
        "server",
        "Give that address as --url",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_a_proxy_does_wrong(mistake, project, proxied, certificates):
    before, after, where, words = MISTAKES[mistake]
    with proxied(before, after) as proxy:
        trust = {"SSL_CERT_FILE": str(certificates / "fullchain.pem")}
        told = wrong(examine(project, "--url", proxy.tls_url, **trust))
    assert list(told) == [where]
    assert words in told[where]


def test_a_proxy_that_is_not_believed(project, proxied):
    with proxied("proxy_pass http://site;", f"proxy_bind {ELSEWHERE}; proxy_pass http://site;") as proxy:
        told = wrong(examine(project, "--url", proxy.url))
    assert list(told) == ["proxy headers"]
    assert told["proxy headers"].endswith(f"Set FORWARDED_ALLOW_IPS={ELSEWHERE}.")


def test_a_proxy_that_closes_what_is_silent(project, proxied):
    with proxied("proxy_read_timeout 60s;", "proxy_read_timeout 2s;") as proxy:
        told = wrong(examine(project, "--url", proxy.url, "--idle", "8"))
    assert list(told) == ["8 s of silence"]
    assert told["8 s of silence"].startswith("cut after 2 s: something on the way closes")


def test_a_server_that_is_down(project, proxied):
    port = free_port()
    with proxied(port=port) as proxy:
        told = wrong(examine(project, "--url", proxy.url))
        assert told["server"].startswith("502: the proxy does not reach the server.")
    told = wrong(examine(project, "--url", f"http://{HOST}:{port}"))
    assert told["server"].startswith(f"nobody listens at {HOST}:{port}. Start the server")


def test_what_is_wrong_with_addresses(project, server):
    told = wrong(examine(project, "--url", f"https://{HOST}:{server.port}"))
    assert told["server"].endswith("Is it the right port, or http://?")
    told = wrong(examine(project, "--url", "http://nowhere.invalid"))
    assert told["server"] == "no host is called nowhere.invalid. Is --url right?"
    said = project.manage("test_websocket", "--url", "https://a..b:99", fails=True)
    assert said.startswith("CommandError: --url https://a..b:99 is no address; write it as https://example")
    assert said.count("\n") == 1


def test_what_the_command_does_not_share_with_the_server(project, server):
    told = wrong(examine(project, "--url", server.url, ALLOWED_HOSTS="example.com", SECRET_KEY="x" * 50))
    assert list(told) == ["handshake"]
    assert "the server does not accept the login" in told["handshake"]


def test_an_origin_that_is_refused(project, proxied):
    with proxied() as proxy:
        told = wrong(examine(project, "--url", f"http://{ELSEWHERE}:{proxy.port}"))
    assert "ALLOWED_HOSTS does not have 127.0.0.3. Add it" in told["handshake"]


def test_migrations_that_are_missing_and_services_that_are_away(project, server):
    project.manage("shell", "--command", FORGET)
    try:
        told = wrong(examine(project, "--url", server.url, REDIS_URL=f"redis://{HOST}:1/0"))
    finally:
        project.manage("migrate", "admin", "--fake")
    assert list(told) == ["database", "cache", "channel layer"]
    assert told["database"].endswith(" migrations are not applied. Run `manage.py migrate`.")
    assert told["cache"].startswith("ConnectionError: Error 111 connecting to")
    assert "CHANNEL_LAYERS in the settings names run" in told["channel layer"]
    told = wrong(examine(project, "--url", server.url, DATABASE_URL=f"postgresql://me:x@{HOST}:1/site"))
    assert list(told) == ["database"]
    assert "connection refused" in told["database"].lower()
    assert told["database"].endswith("Is DATABASE_URL right, and does what it names run?")
