"""The system calls that a judged program may not make, as the kernel takes such a list: as a program.

What would let it become many processes, hold memory that its limit does not count, or read what the kernel
has logged, fails. Threads do not.
See seccomp(2); the numbers are those of the kernel's tables, which differ from one machine to another.
"""

import errno
import platform
import struct

LOAD, EQUAL, AT_LEAST, HAS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # instructions, as in linux/bpf_common.h
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24  # where they stand in what is looked at
CLONE_THREAD = 0x10000
SETLK, SETLKW, OFD_SETLK, OFD_SETLKW = 6, 7, 37, 38  # of fcntl: locks of parts of files, of any number
FOREIGN = 0x40000000  # numbers from here on are those of another interface of x86

# The name of the machine: its number, clone, fcntl, and what is refused, which for each is:
# (fork, vfork,) socket, unshare, setns, ptrace, mount, umount2, add_key, request_key, keyctl, bpf,
# userfaultfd, perf_event_open, io_uring_setup, memfd_create, shmget, msgget, semget, mq_open, syslog
MACHINES = {
    "x86_64": (
        0xC000003E,
        56,
        72,
        (57, 58, 41, 272, 308, 101, 165, 166, 248, 249, 250, 321, 323, 298, 425, 319, 29, 68, 64, 240, 103),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        25,
        (198, 97, 268, 117, 40, 39, 217, 218, 219, 280, 282, 241, 425, 279, 194, 186, 190, 180, 116),
    ),
}
CLONE3 = 435  # its flags cannot be looked at; without it the C library uses clone


def seccomp_filter(machine: str | None = None) -> bytes:
    """Return the list for this machine; raises KeyError for one that is not known."""
    architecture, clone, fcntl, refused = MACHINES[machine or platform.machine()]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, FOREIGN),
        (RETURN, 0, 0, KILL),
        (EQUAL, 0, 1, CLONE3),
        (RETURN, 0, 0, FAIL | errno.ENOSYS),
    ]
    for number in refused:
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, FAIL | errno.EPERM)]
    steps += [
        (EQUAL, 0, 4, clone),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (HAS, 1, 0, CLONE_THREAD),
        (RETURN, 0, 0, FAIL | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
        (EQUAL, 0, 6, fcntl),
        (LOAD, 0, 0, SECOND_ARGUMENT),
        (EQUAL, 3, 0, SETLK),
        (EQUAL, 2, 0, SETLKW),
        (EQUAL, 1, 0, OFD_SETLK),
        (EQUAL, 0, 1, OFD_SETLKW),
        (RETURN, 0, 0, FAIL | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
