"""What the tests need of DynamoDB: a server that speaks its language, and no table in it at first."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings

SERVER = Path(sys.executable).with_name("moto_server")
STARTS_WITHIN = 30  # seconds


@pytest.fixture(scope="session", autouse=True)
def dynamodb(tmp_path_factory):
    """Keep tests away from Amazon, and from the keys that open what is there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = settings.DYNAMODB_ENDPOINT_URL = f"http://127.0.0.1:{port}"
    log_file = tmp_path_factory.mktemp("dynamodb") / "log"
    with pytest.MonkeyPatch.context() as patch, log_file.open("wb") as log:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        server = subprocess.Popen([SERVER, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)  # noqa: S603
        try:
            wait_for(server, port)
            yield url
        finally:
            server.kill()
            server.wait()


def wait_for(server, port):
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert server.poll() is None, "moto_server has ended"
            assert time.monotonic() < deadline, "moto_server does not listen"
            time.sleep(0.02)


@pytest.fixture
def items_table(dynamodb):
    """The table, made for this test."""
    from integrations.management.commands.createtable import create

    assert async_to_sync(create)()
    yield
    urlopen(Request(f"{dynamodb}/moto-api/reset", method="POST")).close()  # noqa: S310
