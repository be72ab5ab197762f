"""Limits for clients that mean harm, which Granian has not: by way of the kernel, for its Rust has none."""

import asyncio
import logging
import resource
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

from serving.timeouts import CLOSE_TIMEOUT

GROWTH = 16 * 2**20  # bytes of memory after which to look for clients that send and do not read
UNREAD = 2**20  # bytes that a client may send without having read anything of what waits for it

logger = logging.getLogger("serving")

started: set[tuple] = set()  # clients that have a socket
ended: dict[tuple, float] = {}  # clients whose socket has ended here, and when


def connections():
    """Yield the client and the socket of each TCP connection of this process."""
    for descriptor in Path("/dev/fd").iterdir():
        with suppress(OSError):  # it is something else, or has just been closed
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=int(descriptor.name))
            try:
                yield connection.getpeername()[:2], connection
            finally:
                connection.detach()  # it is Granian's to close


def cut(clients) -> None:
    """Reset the connections to these clients: what they have not read is dropped, by the kernel, too."""
    for client, connection in connections():
        if client in clients:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)


def stalled():
    """Return for each client that lets what it is sent wait how much it has read and sent so far."""
    found = {}
    for client, connection in connections():
        with suppress(OSError):
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            acked, received, waiting = struct.unpack_from("QQ8xI", info, 120)  # from linux/tcp.h
            if waiting:
                found[client] = acked, received
    return found


def memory() -> int:
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * resource.getpagesize()


async def watch() -> None:
    """Cut sockets that have ended but stay, and those that fill the memory with pongs that nobody reads."""
    before: dict[tuple, tuple[int, int]] = {}
    calm, looked = memory(), time.monotonic()
    while True:
        await asyncio.sleep(0.1)
        now = time.monotonic()
        if ended and now > looked + 1:
            looked = now
            due = {client for client, since in ended.items() if since < now - CLOSE_TIMEOUT}
            if due:
                cut(due)
            for client in due:
                del ended[client]
        if memory() > calm + GROWTH:
            waiting = stalled()
            for client, (acked, received) in waiting.items():
                if client in before and before[client][0] == acked:
                    waiting[client] = before[client]
                    if received > before[client][1] + UNREAD:
                        logger.warning("cut a socket of %s, which sends and does not read", client)
                        cut({client})
            before, calm = waiting, memory()
