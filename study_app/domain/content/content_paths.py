"""Paths by which a study file names its content: what a folder is called, and the one way to spell a path.

A path is part of the study's hash and names tasks and banks in tables, so two spellings of it would be two things.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata


def name_of(folder: str) -> str:
    """Return what a folder of content is called in tables, keys of texts and datasets: the last part of its path.

    Of a path that ends in a slash, which `study check` refuses, it is empty: versions that were launched with one have
    their rows under that name.
    """
    return folder.rsplit("/", 1)[-1]


def spelled(path: str) -> str:
    """Return the one spelling of a path: forward slashes, no empty or `.` part, `..` only in front, composed letters.

    Empty where the path ends in no name.
    """
    composed = unicodedata.normalize("NFC", path).replace("\\", "/")
    right = posixpath.normpath(re.sub("/+", "/", composed))
    return "" if right == "." or posixpath.basename(right) in ("", "..") else right


def alike(name: str) -> str:
    """Return what is the same for two names that some disks take for one: capitals and composed letters aside."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
