"""The file of anchors beside the database, and a command that takes them further."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shlex
import subprocess
from pathlib import Path

from study_app.dataset.integrity.anchors import KeptAnchor, parse_line, parse_lines
from study_app.domain.errors import UserError
from study_app.domain.text_files import decode_text

log = logging.getLogger(__name__)

FILE_NAME = "ledger.anchors"
COMMAND = "STUDY_ANCHOR_COMMAND"
"""Environment variable: a command that gets an anchor on its standard input, to mail or to timestamp it."""
_COMMAND_SECONDS = 60
_AT_ONCE = 4096


class AnchorFile:
    """Appends anchors; each is on the disk before `append` returns.

    Args:
        path: usually `var/ledger.anchors`.
        command: run by `send`; empty for none.
    """

    def __init__(self, path: Path, command: str = "") -> None:
        self.path = path
        self._command = shlex.split(command)

    def append(self, anchor: KeptAnchor) -> None:
        """Add a line, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # Until the file is closed: what another process writes meanwhile must not be taken for a line cut off.
            fcntl.flock(handle, fcntl.LOCK_EX)
            begin = _end_of_lines(handle)
            content = (anchor.line() + "\n").encode()
            if os.write(handle, content) != len(content):
                os.ftruncate(handle, begin)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            # An anchor proves what the database was only if it outlives the machine on which both are.
            try:
                os.fsync(handle)
            except OSError:
                # The disk may hold it or not, and never will by a later try, which would put a line behind a gap.
                os.ftruncate(handle, begin)
                raise
        finally:
            os.close(handle)

    def read(self) -> list[KeptAnchor]:
        """Return every anchor; empty where there is no file.

        Raises:
            UserError: the file cannot be read.
        """
        return read_anchors(self.path) if self.path.exists() else []

    def send(self, anchor: KeptAnchor) -> None:
        """Hand an anchor to the command, where one is set; its failure is logged and stops nothing."""
        if not self._command:
            return
        try:
            given = (anchor.line() + "\n").encode()
            subprocess.run(self._command, input=given, timeout=_COMMAND_SECONDS, check=True, capture_output=True)
        except (OSError, subprocess.SubprocessError) as error:
            # The anchor is in the file already; a mail server that is down must not stop the trial.
            log.error("%s: the anchor could not be handed on: %s", COMMAND, error)


def _end_of_lines(handle: int) -> int:
    """Return the size of an anchor file that ends with a whole line; one cut off by a power failure is taken away."""
    size, reach, tail = os.fstat(handle).st_size, _AT_ONCE, b""
    while len(tail) < size and b"\n" not in tail:
        begin = max(size - reach, 0)
        tail, reach = os.pread(handle, size - begin, begin), 2 * reach
    cut = tail[tail.rfind(b"\n") + 1 :]
    if not cut:
        return size
    if _is_anchor(cut):
        return size + os.write(handle, b"\n")
    os.ftruncate(handle, size - len(cut))
    return size - len(cut)


def _is_anchor(line: bytes) -> bool:
    try:
        parse_line(line.decode())
    except ValueError:
        return False
    return True


def read_anchors(path: Path) -> list[KeptAnchor]:
    """Return the anchors of a file.

    Raises:
        UserError: it is missing, not UTF-8 text, or a line is not an anchor.
    """
    try:
        return parse_lines(decode_text(path.read_bytes(), str(path)))
    except (OSError, ValueError) as error:
        remedy = "give a file of anchors as var/ledger.anchors or study witness writes it"
        raise UserError(f"{path}: --anchor: {error}; {remedy}") from None
