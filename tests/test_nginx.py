"""nginx, with the files of a project, in front of its servers."""

import asyncio
import re
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import AsyncExitStack, ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from conversation import NOTIFICATIONS, converse, people
from follower import Follower
from polling import until
from proxy import composed, nginx, proxied, upstream
from scraping import PROOF, TOKEN
from services import HOST, free_port
from serving import each, running
from variants import DEPLOYED

BEHIND = [variant for variant in DEPLOYED if variant["server"] in ("uvicorn", "daphne")]
ELSEWHERE = "127.0.0.2"  # where a client may come from: not where nginx runs

# Views that these tests add to a project, as its owner might.
VIEWS = """
import asyncio

from django.http import JsonResponse, StreamingHttpResponse

go_on = asyncio.Event()


def who(request):
    names = ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_HOST", "HTTP_UPGRADE", "wsgi.url_scheme")
    return JsonResponse({name: request.META.get(name) for name in names} | {"scheme": request.scheme})


async def stream(request):
    async def parts():
        for number in range(3):
            yield f"data: {number}\\n\\n"
            await go_on.wait()
            go_on.clear()

    return StreamingHttpResponse(parts(), content_type=request.GET["type"])


async def wait(request):
    await asyncio.Event().wait()


async def another(request):
    go_on.set()
    return JsonResponse({})
"""


def add_views(folder):
    """Write the views into a project, and their addresses."""
    (folder / "extra.py").write_text(VIEWS, encoding="utf-8")
    urls = folder / "config/urls.py"
    text = urls.read_text(encoding="utf-8")
    text += "\nimport extra\n\nurlpatterns += [\n"
    text += "".join(f'    path("{name}/", extra.{name}),\n' for name in ("who", "stream", "wait", "another"))
    urls.write_text(text + "]\n", encoding="utf-8")


@pytest.fixture(scope="module", params=each(BEHIND))
def project(request, installed):
    return installed(request.param)


@pytest.fixture(scope="module")
def server(project):
    """A server of the project, which has the views of these tests, too."""
    urls = project.folder / "config/urls.py"
    before = urls.read_text(encoding="utf-8")
    add_views(project.folder)
    try:
        with running(project, FORWARDED_ALLOW_IPS=HOST, METRICS_TOKEN=TOKEN) as server:
            yield server
    finally:
        urls.write_text(before, encoding="utf-8")
        (project.folder / "extra.py").unlink()


@pytest.fixture(scope="module")
def site(project, server):
    """nginx before that server."""
    with proxied(project.folder, [server.port]) as proxy:
        yield proxy


def client(proxy, address=HOST, **options):
    """Return an HTTP client at this address of this machine."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return httpx.AsyncClient(base_url=proxy.url, transport=transport, timeout=10, **options)


async def test_people_talk_through_it(site, project):
    await converse(site.url, project.variant)


@pytest.mark.parametrize("type", ["text/event-stream", "text/html"])
async def test_a_stream_arrives_part_by_part(type, site):
    """The next part is not even made before the last has arrived."""
    headers = {"Accept-Encoding": "gzip"}
    async with (
        client(site, headers=headers) as browser,
        browser.stream("GET", "/stream/", params={"type": type}) as response,
    ):
        parts = response.aiter_text()
        for number in range(3):
            assert await anext(parts) == f"data: {number}\n\n"
            await browser.get("/another/")
        assert [part async for part in parts] == []


async def test_bodies_over_5_mib_are_refused(site):
    async with client(site) as browser:
        for mebibytes, status in (
            (4, 403),
            (10, 413),
        ):  # 403: it has no CSRF token, so the project has seen it
            body = b"x" * mebibytes * 2**20
            assert (await browser.post("/accounts/login/", content=body)).status_code == status


async def test_the_project_knows_its_client_whatever_that_says(site):
    forged = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https", "Forwarded": "for=10.1.2.3"}
    async with client(site, ELSEWHERE, headers=forged) as browser:
        told = (await browser.get("/who/")).json()
    assert told["REMOTE_ADDR"] == told["HTTP_X_FORWARDED_FOR"] == ELSEWHERE
    assert told["scheme"] == "http"
    assert told["HTTP_HOST"] == site.url.removeprefix("http://")


def test_behind_another_proxy_clients_stay_apart(server, project, tmp_path):
    """With what the README of Docker names, where TLS ends before nginx."""
    readme = (project.folder / "deploy/docker/README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"`(set_real_ip_from ADDRESS; .+?)`", readme)
    shutil.copytree(project.folder / "deploy/nginx", tmp_path / "deploy/nginx")
    path = tmp_path / "deploy/nginx/site.conf"
    text = path.read_text(encoding="utf-8")
    line = "proxy_set_header X-Forwarded-Proto $scheme;"
    assert text.count(line) == text.count("$scheme;") == 1
    own = lines.replace("ADDRESS", HOST) + line.replace("$scheme", "https")
    path.write_text(text.replace(line, own), encoding="utf-8")
    headers = {"X-Forwarded-For": "10.1.2.3, 203.0.113.7"}  # forged, and as the proxy has added it
    with proxied(tmp_path, [server.port]) as proxy:
        told = httpx.get(f"{proxy.url}/who/", headers=headers).json()
    assert told["REMOTE_ADDR"] == "203.0.113.7"
    assert told["scheme"] == "https"


async def test_only_websockets_are_upgraded(site):
    async with client(site, headers={"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings"}) as browser:
        answer = await browser.get("/who/")
    assert answer.status_code == 200
    assert answer.json()["HTTP_UPGRADE"] is None


def test_metrics_are_not_passed_on(site, server):
    assert httpx.get(f"{server.url}/metrics", headers=PROOF).status_code == 200
    for path in ("/metrics", "/metrics?x=1", "//metrics", "/%6detrics", "/x/../metrics", "/metrics/"):
        with socket.create_connection((HOST, int(site.url.rpartition(":")[2])), timeout=10) as connection:
            head = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {TOKEN}\r\n"
            connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 404"), path


async def test_it_says_little_about_itself_and_its_clients(site):
    async with client(site) as browser:
        assert (await browser.get("/who/?ticket=sesame")).headers["server"] == "nginx"
    log = (site.folder / "access.log").read_text(encoding="utf-8")
    assert '"GET /who/" 200' in log
    assert "sesame" not in log


def test_with_a_certificate_it_speaks_https(server, project, tmp_path):
    files = ("-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem")
    names = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}")
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", *files, *names)
    subprocess.run(make, check=True, stderr=subprocess.DEVNULL)
    trust = ssl.create_default_context(cafile=tmp_path / "fullchain.pem")
    with nginx(project.folder, upstream([server.port]), certificates=tmp_path) as proxy:
        answer = httpx.get(f"https://{HOST}:{proxy.tls_port}/who/", verify=trust)
    assert answer.json()["scheme"] == "https"


async def test_who_guesses_passwords_is_slowed_down(site):
    """The last test of this site: from here on nobody at this address can log in."""
    async with client(site, ELSEWHERE) as browser:
        statuses = [(await browser.post("/accounts/login/")).status_code for _ in range(70)]
        assert set(statuses[:60]) == {403}
        assert set(statuses[65:]) == {429}
        assert (await browser.get("/accounts/login/")).status_code == 200
    async with client(site) as browser:
        assert (await browser.post("/accounts/login/")).status_code == 403


# -- Several servers ---------------------------------------------------------------------------------------


async def test_a_server_may_restart_while_people_are_connected(project):
    """Whoever was connected to it comes back, and whoever asks for a page meanwhile gets it."""
    ports, statuses = [free_port(), free_port()], []

    def start(port):
        return running(project, port=port, FORWARDED_ALLOW_IPS=HOST)

    async def ask():
        async with client(proxy) as browser:
            while True:
                statuses.append((await browser.get("/accounts/login/")).status_code)
                await asyncio.sleep(0.02)

    with ExitStack() as stack, ExitStack() as first:
        first.enter_context(start(ports[0]))
        stack.enter_context(start(ports[1]))
        proxy = stack.enter_context(proxied(project.folder, ports))
        persons = [stack.enter_context(closing(person)) for person in people(proxy.url, project.variant)]
        async with AsyncExitStack() as visits, asyncio.TaskGroup() as group:
            visitor = group.create_task(ask())
            members = [
                await visits.enter_async_context(Follower(person, NOTIFICATIONS)) for person in persons * 10
            ]
            await asyncio.to_thread(first.close)
            await asyncio.to_thread(stack.enter_context, start(ports[0]))
            await until(lambda: all(member.connected for member in members), within=20)
            visitor.cancel()
    assert {len(member.codes) for member in members} == {0, 1}
    assert all(member.told >= len(member.codes) for member in members)
    assert set(statuses) == {200}


class Container(BaseHTTPRequestHandler):
    """A container of the service `web`, which answers with its address."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.server_address[0].encode())

    def log_message(self, *_):
        pass


def test_containers_that_come_and_go_are_followed(bake):
    """Docker's DNS says where the containers are; its place is taken by one of our own."""
    port = free_port()

    def start(address):
        container = ThreadingHTTPServer((address, port), Container)
        threading.Thread(target=container.serve_forever, args=(0.05,), daemon=True).start()
        return container

    def answers(count=10):
        responses = [browser.get("/") for _ in range(count)]
        assert {response.status_code for response in responses} <= allowed
        return {response.text for response in responses}

    one, allowed = start("127.0.0.2"), {200, 502}
    with (
        composed(bake(**DEPLOYED[0]), port, ["127.0.0.2"]) as (proxy, names),
        httpx.Client(base_url=proxy.url) as browser,
    ):
        proxy.wait_until(lambda: answers() == {"127.0.0.2"})
        allowed = {200}
        other = start("127.0.0.3")
        names.addresses.append("127.0.0.3")
        proxy.wait_until(lambda: answers() == {"127.0.0.2", "127.0.0.3"})
        one.shutdown()
        one.server_close()
        assert answers() == {"127.0.0.3"}
    other.shutdown()
    other.server_close()
