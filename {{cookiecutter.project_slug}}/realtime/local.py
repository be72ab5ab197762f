"""The way to the sockets for processes that have none, on the same machine: a Unix socket of the server's.

A connection brings one event, and is answered once that has been taken. So publishers hold nothing open, and
a server that restarts breaks nothing. Only the user who serves can use it.
"""

import asyncio
import fcntl
import logging
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from realtime.events import NobodyListens
from realtime.group import MAX_SIZE

logger = logging.getLogger("realtime")

SECONDS = 2  # for an event to be taken, and for a publisher to hand it over
MAX_PUBLISHERS = 32  # that are heard at once; as many more wait for their turn
AGAIN_SECONDS = 1  # between two looks whether another server has gone
TAKEN = b"\x06"

Take = Callable[[str, dict], Awaitable[None]]


async def send(path: Path, group: str, event: dict) -> None:
    """Hand an event to the process that has the sockets; raise OSError or ValueError if it is not taken."""
    data = msgspec.msgpack.encode((group, event))
    if len(data) > MAX_SIZE:
        raise ValueError(f"an event of {len(data)} bytes is too big: {MAX_SIZE} are the most")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        async with asyncio.timeout(SECONDS):
            await _connect(connection, path)
            await loop.sock_sendall(connection, len(data).to_bytes(4) + data)
            if await loop.sock_recv(connection, 1) != TAKEN:
                raise ConnectionError("the server of this project has not taken it")


async def serve(path: Path, take: Take) -> None:
    """Take what other processes send, until this is cancelled."""
    try:
        async with _turn(path):
            with _listening(path) as listener:
                await _hear(listener, take)
    except OSError as error:
        logger.warning(
            "commands and workers cannot publish to this server: it cannot listen at %s: %s."
            " Set REALTIME_SOCKET to a path where it can",
            path,
            error.strerror or error,
        )


# The publisher's end


async def _connect(connection: socket.socket, path: Path) -> None:
    while True:
        try:
            connection.connect(os.fspath(path))
            break
        except BlockingIOError:  # too many wait there
            await asyncio.sleep(0.01)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NobodyListens(
                f"no server of this project runs here (nobody listens at {path}), so nobody gets it;"
                " start one, for example with `make run`"
            ) from None
        except OSError as error:
            raise ConnectionError(f"cannot reach the server at {path}: {error.strerror or error}") from None
    _check_peer(connection)


def _check_peer(connection: socket.socket) -> None:
    """Refuse another user, for where the socket lies in a folder that others may write to."""
    if not hasattr(socket, "SO_PEERCRED"):
        return  # the socket's mode has to do
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
    _, user, _ = struct.unpack("iII", credentials)
    if user != os.geteuid() and 0 not in (user, os.geteuid()):
        raise PermissionError(f"the socket belongs to another user, {user}")


# The server's end


@asynccontextmanager
async def _turn(path: Path) -> AsyncIterator[None]:
    """Wait until no other server listens at a path.

    That is told by a lock beside it, which ends with its process, however that ends; what is there when the
    lock is free was left behind.
    """
    said = False
    with _open_lock(path) as lock:
        while True:
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except (BlockingIOError, PermissionError):  # it is up to the system which
                if not said:
                    logger.warning(
                        "another server of this project runs here: what commands and workers publish reaches"
                        " its sockets, and not those of this one"
                    )
                said = True
                await asyncio.sleep(AGAIN_SECONDS)
        yield


def _open_lock(path: Path) -> BinaryIO:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    return os.fdopen(os.open(f"{path}.lock", flags, 0o600), "wb")


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """Listen at a path, which nobody but this user can ever use."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError("something else is there")
        path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.setblocking(False)
        before = os.umask(0o177)
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(before)
        try:
            listener.listen(MAX_PUBLISHERS)
            yield listener
        finally:
            path.unlink(missing_ok=True)


async def _hear(listener: socket.socket, take: Take) -> None:
    loop = asyncio.get_running_loop()
    free = asyncio.Semaphore(MAX_PUBLISHERS)
    async with asyncio.TaskGroup() as publishers:
        while True:
            await free.acquire()
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:  # too many files are open
                logger.warning("could not hear a command or worker: %s", error)
                free.release()
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            publisher = publishers.create_task(_take_one(connection, take))
            publisher.add_done_callback(lambda _: free.release())


async def _take_one(connection: socket.socket, take: Take) -> None:
    with connection:
        try:
            async with asyncio.timeout(SECONDS):
                _check_peer(connection)
                size = int.from_bytes(await _receive(connection, 4))
                if size > MAX_SIZE:
                    raise ValueError(f"{size} bytes are too many")
                data = await _receive(connection, size)
                await take(*msgspec.msgpack.decode(data, type=tuple[str, dict]))
                await asyncio.get_running_loop().sock_sendall(connection, TAKEN)
        except Exception as error:
            logger.warning("could not take an event from a command or worker: %r", error)


async def _receive(connection: socket.socket, size: int) -> bytearray:
    loop, data = asyncio.get_running_loop(), bytearray()
    while len(data) < size:
        part = await loop.sock_recv(connection, min(size - len(data), 65_536))
        if not part:
            raise EOFError("it has hung up")
        data += part
    return data
