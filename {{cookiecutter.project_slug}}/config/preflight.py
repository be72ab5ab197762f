"""Whether the server can listen where it is told to, found out before it starts."""

import socket
import sys

from django.conf import settings


def check_address() -> None:
    """End the process with one line if HOST and PORT are taken or not to be had.

    Servers say so in a traceback, share the port with whoever has it, or wait in their reloader for ever.
    """
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    try:
        socket.create_server((settings.HOST, settings.PORT), family=family).close()
    except OSError as error:
        reason = error.strerror.partition(" (")[0]
        sys.exit(f"Cannot listen on {settings.HOST}:{settings.PORT}: {reason}. Set HOST or PORT.")
