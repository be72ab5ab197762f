"""WSGI beside ASGI: pages and the API by the one, sockets by the other, behind nginx; and Unix sockets."""

import socket
from contextlib import closing

import httpx
import kubernetes_validate
import pytest
import yaml
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed

from client import Person
from conversation import NOTIFICATIONS
from generation import generate
from offered import OPTIONS
from proxy import MAIN, nginx
from refusals import Refusal
from scraping import PROOF, TOKEN
from services import HOST, free_port
from serving import each, running
from variants import first

TOGETHER = pytest.mark.xdist_group("hybrid")
ELSEWHERE = "127.0.0.2"  # where a client may come from: not where nginx runs
OTHERS = [first(server=server, rest_api="drf") for server in OPTIONS["server"] if server != "daphne"]


@pytest.fixture(scope="module")
def project(system):
    """With Daphne for the sockets."""
    return system("learning-platform", _wsgi="yes", tasks="none", consumers="notifications")


@pytest.fixture(scope="module")
def wsgi(project):
    port = free_port()
    environment = {"WSGI_PORT": str(port), "FORWARDED_ALLOW_IPS": HOST, "METRICS_TOKEN": TOKEN}
    with running(project, "serve-wsgi", port=port, **environment) as server:
        yield server


@pytest.fixture(scope="module")
def unix_socket(tmp_path_factory):
    return tmp_path_factory.mktemp("asgi") / "asgi.sock"


@pytest.fixture
def asgi(project, unix_socket):
    """Daphne at a Unix socket."""
    with running(project, UNIX_SOCKET=str(unix_socket), FORWARDED_ALLOW_IPS="*") as server:
        yield server


@pytest.fixture
def site(project, wsgi, unix_socket):
    """nginx before both, with the project's own site.conf."""
    servers = f"server unix:{unix_socket} max_fails=0; }} upstream wsgi {{ server {HOST}:{wsgi.port};"
    with nginx(project.folder, MAIN.format(servers)) as proxy:
        yield proxy


@TOGETHER
async def test_a_post_to_wsgi_reaches_a_socket_at_asgi(site, asgi, wsgi):
    paths = POST, SYNC, ASYNC = "/api/notifications/test/", "/api/notes/", "/api/async/notes/"
    with closing(Person(site.url, "student", "session")) as student:
        async with student.open(NOTIFICATIONS) as socket:
            await socket.frame("connection_established")
            assert student.send(POST).status_code == 200
            assert (await socket.frame("notification"))["kind"]
        assert {student.browser.get(path).status_code for path in (SYNC, ASYNC)} == {200}
    assert [path for path in paths if path in asgi.output()] == [ASYNC]
    assert NOTIFICATIONS not in wsgi.output()


@TOGETHER
def test_each_says_what_it_is(site, asgi, wsgi):
    with asgi.client() as client:
        assert client.get("/api/health/").json()["container_type"] == "asgi"
    for url in (wsgi.url, site.url):
        health = httpx.get(f"{url}/api/health/", timeout=30).json()
        assert (health["container_type"], set(health["checks"].values())) == ("wsgi", {"ok"})
    assert len(wsgi.processes()) == 1 + 4
    assert httpx.get(f"{wsgi.url}/accounts/login/").status_code == 200
    assert "http_requests_total{" in httpx.get(f"{wsgi.url}/metrics", headers=PROOF).text


@TOGETHER
def test_under_wsgi_too_a_project_knows_its_client(site, asgi, wsgi):
    """Of which nginx tells, whatever the client says; so those who guess passwords stay apart from others."""
    transport = httpx.HTTPTransport(local_address=ELSEWHERE)
    with httpx.Client(base_url=site.url, transport=transport) as browser:
        assert browser.get("/accounts/login/", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 200
    assert f"{ELSEWHERE} GET /accounts/login/ 200" in wsgi.output()
    https = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    page = httpx.get(f"{wsgi.url}/accounts/login/", headers=https)
    assert page.status_code == 200
    assert "192.0.2.1 GET /accounts/login/ 200" in wsgi.output()


@TOGETHER
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WSGI_PORT", "99999", "from 1 to 65535"),
        ("WSGI_WORKERS", "0", "WSGI_WORKERS=4"),
        ("WSGI_THREADS", "many", "WSGI_THREADS=8"),
    ],
)
def test_a_wrong_variable_is_named(project, name, value, words):
    said = project.run(".venv/bin/python", "-m", "serving.wsgi", fails=True, **{name: value})
    assert said.startswith(f"{name} is wrong. ")
    assert words in said
    assert said.count("\n") == 1


@TOGETHER
def test_a_port_that_is_taken_is_named(project, wsgi):
    said = project.run(".venv/bin/python", "-m", "serving.wsgi", fails=True, WSGI_PORT=str(wsgi.port))
    assert said == f"Cannot listen on {HOST}:{wsgi.port}: Address already in use. Set HOST or WSGI_PORT.\n"


def test_it_needs_a_layer_that_processes_share(tmp_path):
    with pytest.raises(Refusal, match="_wsgi yes needs channel_layer redis or redis_queue"):
        generate(tmp_path, {"_wsgi": "yes"})


def test_each_target_runs_both(tmp_path):
    targets = {"deployment": "docker, kubernetes, systemd, supervisor", "database": "postgresql"}
    project = generate(tmp_path, {"_wsgi": "yes", "channel_layer": "redis"} | targets)
    services = yaml.safe_load((project / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert services["wsgi"]["command"] == ["python", "-m", "serving.wsgi"]
    assert "[program:wsgi]" in (project / "deploy/supervisor/supervisord.conf").read_text(encoding="utf-8")
    unit = (project / "deploy/systemd/wsgi.conf").read_text(encoding="utf-8")
    assert unit.endswith("/.venv/bin/python -m serving.wsgi\n")
    assert "upstream wsgi {" in (project / "deploy/docker/nginx.conf").read_text(encoding="utf-8")
    upstreams = (project / "deploy/systemd/upstream.conf").read_text(encoding="utf-8")
    main = f"events {{}} http {{ {upstreams} include /etc/nginx/site.conf; }}"
    with nginx(project, main) as proxy:
        assert (
            httpx.get(f"{proxy.url}/", timeout=10).status_code == 502
        )  # there is nobody, but a place to ask
    manifests = [
        *yaml.safe_load_all((project / "deploy/kubernetes/wsgi.yaml").read_text(encoding="utf-8")),
        ingress := yaml.safe_load((project / "deploy/kubernetes/ingress.yaml").read_text(encoding="utf-8")),
    ]
    for manifest in manifests:
        kubernetes_validate.validate(manifest, "1.33", strict=True)
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    assert {path["path"]: path["backend"]["service"]["name"] for path in paths} == {
        "/ws/": "web",
        "/api/async/": "web",
        "/api/messages/": "web",
        "/": "wsgi",
    }


# -- Unix sockets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", each(OTHERS))
async def test_the_other_servers_listen_on_a_unix_socket(variant, installed, tmp_path):
    project, path = installed(variant), tmp_path / "asgi.sock"
    environment = {"UNIX_SOCKET": str(path), "FORWARDED_ALLOW_IPS": "*"}
    with running(project, **environment) as server:
        with server.client(headers={"X-Forwarded-For": "192.0.2.1"}) as client:
            assert client.get("/accounts/login/").status_code == 200
        assert "192.0.2.1 GET /accounts/login/ 200" in server.output()
        async with unix_connect(str(path), f"{server.url.replace('http', 'ws')}{NOTIFICATIONS}") as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd.code == 4401
        assert path.stat().st_mode & 0o666 == 0o666
        said = project.run(".venv/bin/python", "-m", "serving.server", fails=True, **environment)
        assert said.endswith(f"Cannot listen on {path}: Address already in use. Set UNIX_SOCKET.\n")


@TOGETHER
def test_what_a_killed_server_leaves_is_no_obstacle(project, unix_socket):
    environment = {"UNIX_SOCKET": str(unix_socket)}
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(unix_socket))
    with running(project, **environment) as server:
        server.terminate()
        assert server.process.wait(15) == 0
    assert not unix_socket.exists()
