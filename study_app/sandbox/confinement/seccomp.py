"""A system call filter in classic BPF, assembled by hand and installed by prctl.

The list is of what is allowed; everything else answers EPERM. Calls whose harm lies in an argument have a rule of
their own: no writing open, no new process, signals and limits only for the own pid, sockets only as a private pair.
"""

from __future__ import annotations

import ctypes
import struct

from study_app.sandbox.confinement import syscalls

_LD, _JEQ, _JGE, _JSET, _RET, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_ERRNO = 0x00050000
_EPERM, _EINVAL, _ENOSYS = _ERRNO | 1, _ERRNO | 22, _ERRNO | 38
_DONE = _ERRNO
"""Answer 0 without doing anything."""

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_X32_BIT = 0x40000000

_CLONE_THREAD = 0x00010000
_CLONE_NEW = 0x7E020080
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_ASYNC; O_TMPFILE needs one of the first two."""
_FCNTL = (0, 1, 2, 3, 4, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: no owner signals, no locks, no leases."""
_IOCTL = (0x5451, 0x5450, 0x5421, 0x541B, 0x5401, 0x5413)
"""FIOCLEX, FIONCLEX, FIONBIO, FIONREAD, TCGETS, TIOCGWINSZ."""
_PRCTL = (15, 16, 0x53564D41)
"""PR_SET_NAME, PR_GET_NAME, PR_SET_VMA."""
_SOCKET_OPTIONS = (7, 8)
"""SO_SNDBUF, SO_RCVBUF: Trio sets them on its wake-up pair. Buffers are kernel memory, which no limit of a run counts,
so the call succeeds and changes nothing."""
_MSG_OOB = 1
_FOREIGN_CLOCK = 0x80000000
"""From here on clock ids name the computing time of other processes."""
_MADVISE = (0, 1, 2, 3, 4, 8, 14, 15, 16, 17, 18, 19)
"""What allocators ask for; not COLD, PAGEOUT and MERGEABLE, which reach pages that others use."""
_FUTEX_PRIVATE, _FUTEX_REALTIME = 0x80, 0x100
_FUTEX_WAITS, _FUTEX_WAKES = (0, 9), (1, 10)
"""WAIT and WAIT_BITSET, WAKE and WAKE_BITSET; not requeueing and priority inheritance."""
_OWN_PID = 0x5EEDF00D
"""Stands for the own pid until the filter is installed."""

Instruction = tuple[int, int, int, int]


def _ret(action: int) -> Instruction:
    return (_RET, 0, 0, action)


def _load(argument: int, high: bool = False) -> Instruction:
    # `struct seccomp_data` holds the number at 0, the architecture at 4 and six arguments of 64 bits from 16. BPF loads
    # 32 bits at a time, and on both machines the low half comes first.
    return (_LD, 0, 0, 16 + 8 * argument + 4 * high)


def _one_of(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    # The low half is enough: the kernel declares each of these arguments as a 32-bit integer and drops the rest.
    block = [_load(argument)]
    for value in values:
        block += [(_JEQ, 0, 1, value), _ret(_ALLOW)]
    return [*block, _ret(_EPERM)]


def _none_of_bits(argument: int, bits: int) -> list[Instruction]:
    return [_load(argument), (_JSET, 0, 1, bits), _ret(_EPERM), _ret(_ALLOW)]


def _null(argument: int) -> list[Instruction]:
    # A pointer has 64 bits, so both halves must be zero.
    return [
        *[_load(argument), (_JEQ, 1, 0, 0), _ret(_EPERM)],
        *[_load(argument, high=True), (_JEQ, 1, 0, 0), _ret(_EPERM), _ret(_ALLOW)],
    ]


def _thread_only() -> list[Instruction]:
    # A new namespace is refused first, because it may be asked for together with a thread.
    return [_load(0), (_JSET, 0, 1, _CLONE_NEW), _ret(_EPERM), (_JSET, 0, 1, _CLONE_THREAD), _ret(_ALLOW), _ret(_EPERM)]


def _stream_pair() -> list[Instruction]:
    # AF_UNIX and SOCK_STREAM are both 1. The type shares its argument with SOCK_NONBLOCK and SOCK_CLOEXEC, which lie
    # above the low four bits.
    return [
        *[_load(0), (_JEQ, 1, 0, 1), _ret(_EPERM)],
        *[_load(1), (_AND, 0, 0, 0xF), (_JEQ, 0, 1, 1), _ret(_ALLOW), _ret(_EPERM)],
    ]


def _done_for(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    """Claim success for these values of an argument, refuse the others."""
    return [ret if ret != _ret(_ALLOW) else _ret(_DONE) for ret in _one_of(argument, values)]


def _own_clock() -> list[Instruction]:
    return [_load(0), (_JGE, 0, 1, _FOREIGN_CLOCK), _ret(_EINVAL), _ret(_ALLOW)]


def _futex() -> list[Instruction]:
    """Allow waiting anywhere, and waking only in the own memory.

    So two runs cannot signal over a shared library's page.

    pthread_join waits without the private flag, so waits are not held to it.
    """
    command = 0xFFFFFFFF ^ (_FUTEX_PRIVATE | _FUTEX_REALTIME)
    waits = [step for value in _FUTEX_WAITS for step in ((_JEQ, 0, 1, value), _ret(_ALLOW))]
    rest = len(_FUTEX_WAKES)
    wakes = [(_JEQ, rest - at, 0, value) for at, value in enumerate(_FUTEX_WAKES)]
    private = [_load(1), (_JSET, 0, 1, _FUTEX_PRIVATE), _ret(_ALLOW), _ret(_EPERM)]
    return [_load(1), (_AND, 0, 0, command), *waits, *wakes, _ret(_ENOSYS), *private]


def _send() -> list[Instruction]:
    return [_load(3), (_JSET, 0, 1, _MSG_OOB), _ret(_EPERM), *_null(4)]


def _rules() -> dict[str, list[Instruction]]:
    own = (0, _OWN_PID)
    return {
        "clock_getres": _own_clock(),
        "clock_gettime": _own_clock(),
        "clock_nanosleep": _own_clock(),
        "clone": _thread_only(),
        # Its flags lie behind a pointer, which a filter cannot follow. On ENOSYS, and only then, the C library falls
        # back to clone, whose flags are in a register.
        "clone3": [_ret(_ENOSYS)],
        "fcntl": _one_of(1, _FCNTL),
        "futex": _futex(),
        "ioctl": _one_of(1, _IOCTL),
        "kill": _one_of(0, (_OWN_PID,)),
        "tgkill": _one_of(0, (_OWN_PID,)),
        "madvise": _one_of(2, _MADVISE),
        "prlimit64": _one_of(0, own),
        "recvfrom": _none_of_bits(3, _MSG_OOB),
        "sched_getaffinity": _one_of(0, own),
        "sched_getparam": _one_of(0, own),
        "sched_getscheduler": _one_of(0, own),
        "sched_rr_get_interval": _one_of(0, own),
        "open": _none_of_bits(1, _WRITING),
        "openat": _none_of_bits(2, _WRITING),
        "prctl": _one_of(0, _PRCTL),
        "sendto": _send(),
        "setsockopt": _done_for(2, _SOCKET_OPTIONS),
        "socketpair": _stream_pair(),
    }


def assemble(machine: str) -> list[Instruction]:
    """Return the filter for one machine, with a placeholder for the own pid.

    Args:
        machine: `x86_64` or `aarch64`.

    Returns:
        BPF instructions (code, jump if true, jump if false, operand).
    """
    # The architecture is checked before the number: the same number is another call for a 32-bit program, which a
    # 64-bit process can become by one instruction.
    program: list[Instruction] = [
        (_LD, 0, 0, 4),
        (_JEQ, 1, 0, syscalls.AUDIT_ARCH[machine]),
        _ret(_KILL),
        (_LD, 0, 0, 0),
    ]
    if machine == "x86_64":
        # Calls of the x32 ABI name the same architecture and differ by this bit of the number alone.
        program += [(_JGE, 0, 1, _X32_BIT), _ret(_KILL)]
    for name, block in _rules().items():
        number = syscalls.number(name, machine)
        if number is not None:
            program += [(_JEQ, 0, len(block), number), *block]
    for name in sorted(syscalls.ALLOWED):
        number = syscalls.number(name, machine)
        if number is not None:
            program += [(_JEQ, 0, 1, number), _ret(_ALLOW)]
    # Refused and not killed: libraries probe for calls and go on without them.
    return [*program, _ret(_EPERM)]


def encode(program: list[Instruction], pid: int) -> bytes:
    """Pack a filter as the kernel reads it, the own pid filled in."""
    return b"".join(struct.pack("<HBBI", code, jt, jf, pid if k == _OWN_PID else k) for code, jt, jf, k in program)


def install(code: bytes, libc: ctypes.CDLL) -> None:
    """Bind the calling process to a packed filter for ever; no_new_privs must be set.

    Raises:
        OSError: the kernel refused it.
    """
    # `struct sock_fprog`: a 16-bit count of instructions, padding, a pointer to them; the kernel copies both.
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("<H6xQ", len(code) // 8, ctypes.addressof(buffer)), 16)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(header), 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "seccomp filter refused")
