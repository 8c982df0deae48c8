"""Landlock: the process gives up every path but those it names, every port, and signals beyond itself.

Rights by ABI follow the kernel's `Documentation/userspace-api/landlock.rst`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

from study_app.sandbox.confinement import syscalls

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FS_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""ABI -> how many file rights it knows."""
_NET_BIND_CONNECT = 0b11
_SCOPE_ABSTRACT_SOCKETS_SIGNALS = 0b11
_RULE_PATH_BENEATH = 1
_GET_VERSION = 1


def _call(libc: ctypes.CDLL, name: str, *arguments: object) -> int:
    # The C library has no functions for these calls.
    number = syscalls.number(name)
    return -1 if number is None else int(libc.syscall(ctypes.c_long(number), *arguments))


def abi(libc: ctypes.CDLL) -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    if sys.platform != "linux" or syscalls.machine() is None:
        return 0
    version = _call(libc, "landlock_create_ruleset", None, ctypes.c_size_t(0), ctypes.c_uint(_GET_VERSION))
    return max(version, 0)


def _attributes(version: int) -> bytes:
    # Every right that the kernel knows is handled, which denies it wherever no rule allows it; a right that is left out
    # stays allowed. The struct grows with the ABI, and a field that the kernel does not know is refused.
    count = max(bits for since, bits in _FS_RIGHTS.items() if since <= version)
    fields = [(1 << count) - 1]
    if version >= 4:
        fields.append(_NET_BIND_CONNECT)
    if version >= 6:
        fields.append(_SCOPE_ABSTRACT_SOCKETS_SIGNALS)
    return struct.pack(f"<{len(fields)}Q", *fields)


class Rules:
    """What may be read, from which rulesets are made.

    Args:
        paths: files and folders; those that do not exist are passed over.
        version: the ABI to build for, at least 1.
    """

    def __init__(self, paths: Iterable[str], version: int) -> None:
        self._paths = tuple(paths)
        self._version = version

    def create(self, libc: ctypes.CDLL, also: Iterable[str] = ()) -> int:
        """Build a ruleset under which only these files and folders can be read and nothing can be changed.

        Args:
            libc: the C library, with errno.
            also: more paths, which may mean another file in each process, such as those below /proc/self.

        Returns:
            A descriptor for `restrict`.

        Raises:
            OSError: the kernel refused it.
        """
        attributes = _attributes(self._version)
        ruleset = _call(libc, "landlock_create_ruleset", attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
        if ruleset < 0:
            raise OSError(ctypes.get_errno(), "Landlock ruleset refused")
        for path in (*self._paths, *also):
            # A path that cannot be opened here cannot be read in the child either, so there is nothing to allow.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                _allow_reading(ruleset, path, libc)
        return ruleset


def _allow_reading(ruleset: int, path: str, libc: ctypes.CDLL) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        folder = stat.S_ISDIR(os.fstat(parent).st_mode)
        # The struct is packed: 64 bits of rights, 32 of descriptor. A rule for a file must not name rights of folders.
        rule = struct.pack("<Qi", _READ_FILE | (_READ_DIR if folder else 0), parent)
        call = (ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint(0))
        if _call(libc, "landlock_add_rule", *call) != 0:
            raise OSError(ctypes.get_errno(), f"Landlock rule refused for {path}")
    finally:
        os.close(parent)


def restrict(ruleset: int, libc: ctypes.CDLL) -> None:
    """Bind the calling process to a ruleset for ever; no_new_privs must be set.

    Raises:
        OSError: the kernel refused it.
    """
    if _call(libc, "landlock_restrict_self", ctypes.c_int(ruleset), ctypes.c_uint(0)) != 0:
        raise OSError(ctypes.get_errno(), "Landlock restriction refused")
