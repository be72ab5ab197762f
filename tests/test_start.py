"""What is wrong with its environment a server says at start, in a line that names the variable.

What is right it goes by.
"""

import subprocess
from urllib.parse import urlsplit

import httpx
import pytest

from services import HOST, free_port
from serving import ENVIRONMENT, each, running
from variants import BOOTED, first

# With workers, since their parent process has to end as well.
WITH_SERVICES = first(server="granian", channel_layer="redis_queue", database="postgresql", auth="jwt")
WITHOUT = first(channel_layer="memory", database="sqlite", integrations="none")
WITH_MODELS = next(variant for variant in BOOTED if "openai" in variant["integrations"])
MISSING = None

WRONG = [
    (
        WITH_SERVICES,
        "SECRET_KEY",
        MISSING,
        "in the environment or in .env; for development `make .env` does.",
    ),
    (WITH_SERVICES, "SECRET_KEY", "", "is wrong. It must be 50 or more"),
    (WITH_SERVICES, "SECRET_KEY", "short", "is wrong. It must be 50 or more"),
    (WITH_SERVICES, "DATABASE_URL", MISSING, "is missing. It must be a URL such as postgresql://"),
    (WITH_SERVICES, "DATABASE_URL", "mysql://me@localhost/site", "such as postgresql://"),
    (WITH_SERVICES, "DATABASE_URL", "sqlite:////tmp/db.sqlite3", "such as postgresql://"),
    (WITH_SERVICES, "DATABASE_URL", "postgresql://me@localhost:port/site", "such as postgresql://"),
    (WITH_SERVICES, "REDIS_URL", "localhost:6379", "such as redis://"),
    (WITH_SERVICES, "REDIS_URL", "http://localhost:6379/0", "such as redis://"),
    (WITH_SERVICES, "USE_INMEMORY_CHANNELS", "sometimes", "true or false"),
    (WITH_SERVICES, "WEB_CONCURRENCY", "0", "a number of processes"),
    (WITH_SERVICES, "WEB_CONCURRENCY", "many", "a number of processes"),
    (WITH_SERVICES, "MAX_REQUESTS", "1000", "It must be 0: Granian"),
    (WITHOUT, "MAX_CONCURRENT_REQUESTS", "-1", "MAX_CONCURRENT_REQUESTS=200"),
    (WITHOUT, "UNIX_SOCKET", "asgi.sock", "an absolute path"),
    (WITHOUT, "DATABASE_URL", "postgresql://me@localhost/site", "such as sqlite:///"),
    (WITHOUT, "WEB_CONCURRENCY", "2", "It must be 1"),
    (WITHOUT, "REALTIME_SOCKET", "realtime.sock", "an absolute path"),
    (WITHOUT, "DEBUG", "perhaps", "true or false"),
    (WITHOUT, "PORT", "99999", "from 1 to 65535"),
    (WITHOUT, "FORWARDED_ALLOW_IPS", "proxy.example", "addresses of your proxies"),
    (WITHOUT, "ALLOWED_HOSTS", "https://example.com", "host names"),
    (WITHOUT, "CSRF_TRUSTED_ORIGINS", "app.example.com", "CSRF_TRUSTED_ORIGINS=https://app.example.com"),
    (WITHOUT, "SIGN_UP", "sometimes", "true or false"),
    (WITHOUT, "LOADTEST_TOKEN", "a-short-one", "32 or more random characters"),
    (WITHOUT, "EMAIL_URL", "mail.example.com", "such as submission://"),
    (WITHOUT, "EMAIL_URL", "submission://", "such as submission://"),
    (WITHOUT, "EMAIL_URL", "smtp://mail.example.com:port", "such as submission://"),
    (WITH_SERVICES, "CORS_ALLOWED_ORIGINS", "https://*.example.com", "without *"),
    (WITHOUT, "HSTS_SECONDS", "-1", "HSTS_SECONDS=31536000"),
    (WITHOUT, "HSTS_SECONDS", "a year", "HSTS_SECONDS=31536000"),
    (WITHOUT, "HSTS_INCLUDE_SUBDOMAINS", "some", "true or false"),
    (WITHOUT, "HSTS_PRELOAD", "later", "true or false"),
    (WITHOUT, "LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
    (WITHOUT, "LOG_FORMAT", "xml", "text or json"),
    (WITHOUT, "LOG_SOCKETS", "some", "true or false"),
    (WITHOUT, "METRICS_TOKEN", "short", "20 or more letters and digits"),
    (WITHOUT, "METRICS_FOLDER", "metrics", "an absolute path"),
    (WITHOUT, "ICE_SERVERS", "turn.example.com", "ICE_SERVERS=stun:turn.example.com"),
    (WITH_SERVICES, "JUDGE_SANDBOX", "docker", "bwrap, or, with DEBUG, none"),
    (WITH_SERVICES, "JUDGE_QUEUED", "0", "JUDGE_QUEUED=5"),
    (WITH_SERVICES, "PROBLEMS_ALLOWED_HOSTS", "https://example.com", "PROBLEMS_ALLOWED_HOSTS=problems."),
    (WITH_SERVICES, "PROBLEMS_EXTRACTOR", "", "the name of a chat model"),
    (WITH_SERVICES, "PROBLEMS_SOLVER", "", "the name of a chat model"),
    (WITHOUT, "TURN_SECRET", "short", "32 or more random characters"),
    (WITHOUT, "ASSISTANT_CONCURRENT", "0", "ASSISTANT_CONCURRENT=3"),
    (WITHOUT, "ASSISTANT_PROMPT_CHARS", "8k", "ASSISTANT_PROMPT_CHARS=8000"),
    (WITHOUT, "ASSISTANT_HISTORY_CHARS", "-1", "ASSISTANT_HISTORY_CHARS=32000"),
    (WITHOUT, "ASSISTANT_MAX_TOKENS", "many", "ASSISTANT_MAX_TOKENS=2048"),
    (WITHOUT, "ASSISTANT_SECONDS", "5m", "ASSISTANT_SECONDS=300"),
    (WITH_MODELS, "AWS_REGION", "Frankfurt", "AWS_REGION=eu-central-1"),
    (WITH_MODELS, "DYNAMODB_TABLE", "my table", "DYNAMODB_TABLE=problems"),
    (WITH_MODELS, "DYNAMODB_ENDPOINT_URL", "localhost:8000", "such as http://localhost:8000"),
    (WITHOUT, "WS_RATE", "often", "WS_RATE=50/second;1000/minute"),
    (WITHOUT, "WS_USER_RATE", "3000 a minute or so", "WS_USER_RATE=3000/minute"),
    (WITHOUT, "WS_MAX_MESSAGE_BYTES", "64K", "WS_MAX_MESSAGE_BYTES=65536"),
    (WITH_MODELS, "OPENAI_API_KEY", "sk 4f9c", "a key without spaces"),
    (WITH_MODELS, "OPENAI_BASE_URL", "api.openai.com", "such as https://api.openai.com/v1"),
    (WITH_MODELS, "OPENAI_MODEL", "", "OPENAI_MODEL=gpt-5.5"),
]


CASES = [
    pytest.param(*case, id=f"{case[1]}={case[2]}", marks=variant.marks)
    for case in WRONG
    for variant in each([case[0]])
]


@pytest.mark.parametrize(("variant", "name", "value", "words"), CASES)
def test_a_wrong_variable_is_named_before_anything_listens(variant, name, value, words, installed):
    project = installed(variant)
    before = project.dotenv()
    after = {key: text for key, text in before.items() if key != name}
    project.write_env(after if value is MISSING else after | {name: value})
    try:
        done = subprocess.run(
            [".venv/bin/python", "-m", "serving.server"],
            cwd=project.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        project.write_env(before)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.startswith(f"{name} is ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("variant", each([WITH_SERVICES]))
def test_services_that_refuse_are_named(variant, installed):
    project = installed(variant)
    right = {name: urlsplit(project.dotenv()[name]) for name in ("DATABASE_URL", "REDIS_URL")}
    wrong = {name: url.geturl().replace(url.password, "open-sesame") for name, url in right.items()}
    with running(project, status=503, **wrong) as server:
        database, cache = (line for line in server.output().splitlines() if " yet: " in line)
        assert "DATABASE_URL leads to no database yet" in database
        assert "password authentication failed" in database
        assert "REDIS_URL does not work yet: invalid username-password pair" in cache
        assert "open-sesame" not in server.output()


@pytest.mark.parametrize("variant", each([WITH_SERVICES]))
def test_make_names_services_that_are_away_and_what_starts_them(variant, installed):
    away = f"{HOST}:{free_port()}"
    addresses = {"DATABASE_URL": f"postgresql://me:x@{away}/x", "REDIS_URL": f"redis://{away}/0"}
    said = installed(variant).make("run", fails=True, **addresses)
    assert "DATABASE_URL leads to no database yet: " in said
    assert "REDIS_URL does not work yet: " in said
    assert "make services starts it; README.md says how without Docker.\n" in said


@pytest.mark.parametrize("variant", each([WITHOUT]))
def test_a_database_in_no_folder_is_named(variant, installed):
    with running(installed(variant), status=503, DATABASE_URL="sqlite:////nowhere/db.sqlite3") as server:
        assert "DATABASE_URL leads to no database yet: unable to open database file" in server.output()


@pytest.mark.parametrize("variant", each([WITH_SERVICES]))
def test_health_says_that_migrations_are_missing(variant, installed, postgresql):
    project = installed(variant)
    empty = postgresql.add_database("not_migrated_yet", project.dotenv()["DATABASE_URL"])
    with running(project, status=503, DATABASE_URL=empty) as server:
        checks = httpx.get(f"{server.url}/api/health/", timeout=30).json()["checks"]
        assert "migrations are not applied; run `manage.py migrate`" in checks.pop("database")
        assert set(checks.values()) == {"ok"}
        assert httpx.get(f"{server.url}/api/health/live/").json() == {"status": "alive"}
        project.run(".venv/bin/python", "manage.py", "migrate", DATABASE_URL=empty)
        server.wait_until_healthy()


# Prints after how many milliseconds without an acknowledgement the kernel ends the database's connection.
TCP_TIMEOUT = """
import os, socket
from django.db import connection
connection.ensure_connection()
with socket.socket(fileno=os.dup(connection.connection.fileno())) as twin:
    print(twin.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
"""


@pytest.mark.parametrize("variant", each([WITH_SERVICES]))
def test_a_database_whose_host_vanishes_is_given_up_within_seconds(variant, installed):
    project = installed(variant)
    assert project.manage("shell", "--command", TCP_TIMEOUT).splitlines()[-1] == "10000"


HSTS = [
    ({}, "max-age=3600"),
    (
        {"HSTS_SECONDS": "31536000", "HSTS_INCLUDE_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"},
        "max-age=31536000; includeSubDomains; preload",
    ),
]


@pytest.mark.parametrize("variant", each([WITHOUT]))
@pytest.mark.parametrize(("values", "header"), HSTS, ids=["an-hour", "a-year"])
def test_browsers_are_bound_to_https_for_as_long_as_it_is_set(variant, values, header, installed):
    project = installed(variant)
    production = {
        "DEBUG": "false",
        "ALLOWED_HOSTS": "example.com",
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        "EMAIL_URL": "submission://user:password@mail.example.com",
        "DEFAULT_FROM_EMAIL": "noreply@example.org",
        **values,
    }
    assert "no issues" in project.run(".venv/bin/python", "manage.py", "check", "--deploy", **production)
    by_proxy = {"Host": "example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    with running(project, **production) as server:
        answer = httpx.get(f"{server.url}/favicon.ico", headers=by_proxy)
    assert (answer.status_code, answer.headers["strict-transport-security"]) == (302, header)
