"""What goes wrong, in a few words each."""

import os

import aiohttp

NO_TLS = "it does not speak TLS"


class Problem(Exception):
    """The load test cannot begin, or not go on; says why in one line, and the cure."""


class Failed(Exception):
    """Something did not work, and counts as an error; says what in a few words."""


def kind_of(error: BaseException) -> str:
    """Say in a few words why a connection or a request failed: the same words for the same cause."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorCertificateError():
            return f"TLS: {getattr(error.certificate_error, 'verify_message', error.certificate_error)}"
        case aiohttp.ClientConnectorDNSError():
            return "no such host"
        case aiohttp.ClientSSLError():
            return NO_TLS
        case aiohttp.WSServerHandshakeError():
            return f"HTTP {error.status}"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "the connection broke"
        case OSError(errno=int() as number):
            return os.strerror(number).lower()
    return " ".join(str(error).split())[:100] or type(error).__name__
