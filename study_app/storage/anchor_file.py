"""The file of anchors beside the database, and a command that takes them further."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
from pathlib import Path

from study_app.dataset.integrity.anchors import KeptAnchor, parse_lines
from study_app.domain.errors import UserError
from study_app.domain.text_files import decode_text

log = logging.getLogger(__name__)

FILE_NAME = "ledger.anchors"
COMMAND = "STUDY_ANCHOR_COMMAND"
"""Environment variable: a command that gets an anchor on its standard input, to mail or to timestamp it."""
_COMMAND_SECONDS = 60


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
        """Add a line.

        Raises:
            OSError: it cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # One write with O_APPEND, so that lines of two processes do not mix.
            os.write(handle, (anchor.line() + "\n").encode())
            # An anchor proves what the database was only if it outlives the machine on which both are.
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self) -> list[KeptAnchor]:
        """Every anchor; empty where there is no file.

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
