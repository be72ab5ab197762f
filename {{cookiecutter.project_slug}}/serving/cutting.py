"""How a client is cut off that does not let its connection be closed."""

import socket
import struct
from contextlib import suppress

NO_LINGER = struct.pack("ii", 1, 0)


def cut(transport) -> None:
    """Reset a connection: what its client has not read is dropped, by the kernel, too."""
    with suppress(AttributeError, OSError, ValueError):  # it is closed already
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()
