"""What the doctor says when there is no right answer; on a running site it is tried by `test_websocket`."""

import socket
import threading
from contextlib import contextmanager

import pytest

from realtime import doctor_client
from realtime.doctor import Doctor, Problem, within

PATH = "/ws/doctor/"


@contextmanager
def listening(answer):
    """Answer a request with some bytes and the end of the connection, or not at all if there are none."""
    released = threading.Event()

    def serve():
        with server.accept()[0] as connection:
            connection.recv(10_000)
            if answer is None:
                released.wait()
            else:
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        released.set()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "no answer from 127.0.0.1"),
        (b"", "no HTTP at 127.0.0.1"),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP at 127.0.0.1"),
        (b"HTTP/1.1 200 OK\r\n\r\nHello", "answers 200, so something else is there"),
        (b"HTTP/1.1 200 OK\r\n\r\n[]", "answers 200, so something else is there"),
        (b"HTTP/1.1 504 Late\r\n\r\n", "504: the proxy does not reach the server"),
        (b'HTTP/1.1 503 Bad\r\n\r\n{"checks": {"cache": "away", "more": "ok"}}', "not well (cache: away)"),
    ],
)
def test_whatever_answers_there(answer, words, monkeypatch):
    monkeypatch.setattr(doctor_client, "SECONDS", 0.2)
    with listening(answer) as url, pytest.raises(Problem) as problem:
        Doctor(url, 0).server()
    assert words in str(problem.value)


def test_no_check_is_waited_for_without_limit():
    released = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.1, released.wait)
    released.set()


async def test_what_the_server_sees_of_its_client(connect, student):
    assert (await connect(PATH)).code == 4401
    seen = await (await connect(PATH, student, address="192.0.2.7")).receive("seen")
    assert (seen["client"], seen["forwarded"]) == ("192.0.2.7", "")
    assert (await connect("/ws/doctors/", student)).code == 4404
