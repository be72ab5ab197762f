"""The doctor's way to a server, through whatever stands before it; what goes wrong there is a `Problem`."""

import json
import ssl
import time
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from os import urandom
from socket import gaierror
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from realtime.codes import NOT_AUTHENTICATED, NOT_FOUND

SECONDS = 10  # for each answer


class Problem(Exception):
    """What is wrong, and the cure, in a line."""


class Site:
    """A site at an address, and a socket there."""

    def __init__(self, url: str):
        self.url, site = url, urlsplit(url)
        self.secure = site.scheme in ("https", "wss")
        self.host, self.port, self.folder = site.hostname or "", site.port, site.path.rstrip("/")
        self.name = site.netloc.rpartition("@")[2]
        self.socket: ClientConnection

    def origin(self, secure: bool) -> str:
        return f"{'https' if secure else 'http'}://{self.name}"

    def ask(self, path: str, **headers: str) -> tuple[int, str, bytes]:
        """Send a GET, and return the status, the header Location and the body."""
        where = f"{self.name}{self.folder}"
        kind = HTTPSConnection if self.secure else HTTPConnection
        asking = kind(self.host, self.port, timeout=SECONDS)
        try:
            asking.request("GET", self.folder + path, headers={"Host": self.name, **headers})
            answer = asking.getresponse()
            body = b"" if answer.status == 101 else answer.read(100_000)
            return answer.status, answer.headers.get("Location", ""), body
        except ssl.SSLCertVerificationError as error:
            raise Problem(
                f"the certificate of {where} is not trusted: {error.verify_message}. It has to be for this"
                " name, and sent with its chain; SSL_CERT_FILE=ca.pem is for an authority of your own."
            ) from None
        except ssl.SSLError as error:
            raise Problem(f"no TLS at {where} ({error.reason}). Is it the right port, or http://?") from None
        except gaierror:
            raise Problem(f"no host is called {self.host}. Is --url right?") from None
        except TimeoutError:
            raise Problem(f"no answer from {where} within {SECONDS} s. Is it the right address?") from None
        except ConnectionRefusedError:
            raise Problem(
                f"nobody listens at {where}. Start the server, with `make run` or `make serve`, or give the"
                " right --url."
            ) from None
        except (OSError, HTTPException) as error:
            raise Problem(
                f"no HTTP at {where}: {described(error)}. Is it the right port, or https://?"
            ) from None
        finally:
            asking.close()

    def upgrade(self, path: str, origin: str, proof: dict[str, str]) -> tuple[int, str, bytes]:
        """Ask for a WebSocket, and see what the answer is, without opening one."""
        key = b64encode(urandom(16)).decode()
        asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        return self.ask(path, **asked, **{"Sec-WebSocket-Key": key, "Origin": origin}, **proof)

    def open(self, path: str, origin: str, proof: dict[str, str]) -> None:
        self.socket = connect(
            f"{'wss' if self.secure else 'ws'}://{self.name}{self.folder}{path}",
            origin=Origin(origin),
            additional_headers=proof,
            proxy=None,
            open_timeout=SECONDS,
            close_timeout=1,
            ping_interval=None,
        )

    def receive(self, wanted: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The next frame of a type; raise TimeoutError when it does not come."""
        end = time.monotonic() + seconds
        try:
            while True:
                frame = json.loads(self.socket.recv(timeout=max(0.0, end - time.monotonic())))
                if frame["type"] == wanted:
                    return frame
        except ConnectionClosed as closed:
            raise Problem(why_closed(closed)) from closed


def why_closed(closed: ConnectionClosed) -> str:
    if closed.rcvd is None:
        return "the connection was cut without a close frame. The logs of the server and the proxy say why."
    said = f"closed with {closed.rcvd.code} {closed.rcvd.reason}".strip()
    if closed.rcvd.code == NOT_AUTHENTICATED:
        return (
            f"{said}: the server does not accept the login of this command, or no longer. Do both read the"
            " same SECRET_KEY and DATABASE_URL?"
        )
    if closed.rcvd.code == NOT_FOUND:
        return f"{said}. Does the server have the same version of this project? Restart it."
    return f"{said}. The server's log says why."


def described(error: BaseException) -> str:
    """An error in a line."""
    if isinstance(error, TimeoutError):
        return str(error) or "no answer in time"
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(".")
