"""What the tests need of DynamoDB: a server that speaks its language, and no table in it at first."""

import asyncio
import os
import socket
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings

HOST = "127.0.0.1"
SERVER = Path(sys.executable).with_name("moto_server")
STARTS_WITHIN = 30  # seconds


@pytest.fixture(scope="session", autouse=True)
def dynamodb(tmp_path_factory):
    """Keep tests away from Amazon, and from the keys that open what is there; return the port instead."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    settings.DYNAMODB_ENDPOINT_URL = f"http://{HOST}:{port}"
    log_file = tmp_path_factory.mktemp("dynamodb") / "log"
    with pytest.MonkeyPatch.context() as patch, log_file.open("wb") as log, asyncio.Runner() as runner:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        starting = asyncio.create_subprocess_exec(SERVER, "-H", HOST, "-p", str(port), stdout=log, stderr=log)
        server = runner.run(starting)
        try:
            wait_for(port, log_file)
            yield port
        finally:
            server.kill()
            runner.run(server.wait())


def wait_for(port, log):
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            return socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"moto_server does not listen: {log.read_text()}"
            time.sleep(0.02)


@pytest.fixture
def items_table(dynamodb):
    """The table, made for this test."""
    from integrations.management.commands.createtable import create

    assert async_to_sync(create)()
    yield
    connection = HTTPConnection(HOST, dynamodb)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()
