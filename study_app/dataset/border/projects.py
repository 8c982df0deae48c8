"""A REFI-QDA project (`.qdpx`) as bytes: an archive of one XML file and texts, read within bounds or not at all.

What an archive says of its files can be forged, so nothing is unpacked further than its stated size, and everything
that is unpacked counts. Only methods that stop where they are asked to are taken: a few bytes of the others unpack to
any amount at once.
"""

from __future__ import annotations

import zipfile
import zlib
from collections import defaultdict
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as Xml
from xml.parsers import expat

from study_app.dataset.border import limits
from study_app.dataset.border.limits import beyond
from study_app.domain.errors import Problem, ProblemsFound

PROJECT_SUFFIX = ".qde"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENTRY = b"PK\x01\x02"
"""What each entry of an archive's table of contents begins with."""
_AT_ONCE = 65536


class _Declared(Exception):
    """The project declares a type of document, which could declare entities without bound."""


def refuse_large(size: int, name: str) -> None:
    """Refuse a file that is larger than any project unpacks to, before it is read.

    Raises:
        BeyondLimits: it is.
    """
    if size > limits.LIMITS.project_bytes:
        raise beyond(name, size, "bytes", limits.LIMITS.project_bytes)


class ProjectFile:
    """One project, whose files are read one at a time."""

    def __init__(self, content: bytes, name: str) -> None:
        """Open the archive.

        Raises:
            BeyondLimits: it is too large, or says that it unpacks to too much.
            ProblemsFound: it is none.
        """
        self._file = name
        self._read = 0
        refuse_large(len(content), name)
        # Its table of contents is kept whole while the archive is open.
        if (entries := content.count(_ENTRY)) > limits.LIMITS.project_files:
            raise beyond(name, entries, "files", limits.LIMITS.project_files)
        try:
            self._archive = zipfile.ZipFile(BytesIO(content))
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
            raise self._unusable("is not a .qdpx file (a zip archive)") from None
        unpacked = sum(entry.file_size for entry in self._archive.infolist())
        if unpacked > limits.LIMITS.project_bytes:
            raise beyond(name, unpacked, "bytes unpacked", limits.LIMITS.project_bytes)
        self._texts_read = 0
        self._by_end: dict[str, list[str]] = defaultdict(list)
        for entry in self._archive.namelist():
            self._by_end[entry.lower().rpartition("/")[2]].append(entry)

    def project(self) -> Xml.Element:
        """Return the project's XML.

        Raises:
            BeyondLimits: it has too many elements, or a tag without end.
            ProblemsFound: it is missing, damaged or no XML.
        """
        inside = next((entry for entry in self._archive.namelist() if entry.endswith(PROJECT_SUFFIX)), None)
        if inside is None:
            raise self._unusable("holds no project.qde")
        try:
            return _Tree(self._file).read(self._member(inside))
        except _Declared:
            raise self._unusable("its project.qde declares entities") from None
        except (expat.ExpatError, ValueError, LookupError, AssertionError):
            raise self._unusable("its project.qde is not XML") from None

    def text(self, path: str) -> str | None:
        """Return a text by the path that a source gives it, with line feeds alone; None where it is not there.

        Raises:
            BeyondLimits: more was read of the project than it may hold.
            ProblemsFound: it is damaged.
        """
        inside = path.removeprefix("internal://").lower()
        candidates = self._by_end.get(inside.rpartition("/")[2], ())
        entry = next((name for name in candidates if name.lower().endswith(f"/{inside}")), None)
        if entry is None or not inside:
            return None
        self._texts_read += 1
        if self._texts_read > limits.LIMITS.project_files:
            most = limits.LIMITS.project_files
            raise beyond(self._file, f"more than {most:,}", "sources with a text", most)
        return self._member(entry).decode("utf-8-sig", "replace").replace("\r\n", "\n")

    def _member(self, inside: str) -> bytes:
        """Return a file of the archive, which may be damaged, encrypted, or packed in another way."""
        if self._archive.getinfo(inside).compress_type not in _METHODS:
            raise self._unusable(f"'{inside[:80]}' in it is packed in another way than a .qdpx file is")
        try:
            content = self._archive.read(inside)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
            raise self._unusable(f"'{inside[:80]}' in it is damaged or cannot be unpacked") from None
        self._read += len(content)
        if self._read > limits.LIMITS.project_bytes:
            raise beyond(self._file, self._read, "bytes unpacked", limits.LIMITS.project_bytes, inside[:80])
        return content

    def _unusable(self, what: str) -> ProblemsFound:
        return ProblemsFound([Problem(self._file, "", what, "export the project as REFI-QDA again")])


class _Tree:
    """Builds the elements of one file, and gives up where there are more than a project has."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._count = 0
        self._builder = Xml.TreeBuilder()

    def read(self, content: bytes) -> Xml.Element:
        """Return the root.

        Raises:
            BeyondLimits: there are too many elements and attributes, or a tag is too long.
            ExpatError: it is not XML.
        """
        parser: Any = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._builder.end
        parser.CharacterDataHandler = self._builder.data
        parser.StartDoctypeDeclHandler = self._declared
        for place in range(0, len(content), _AT_ONCE):
            parser.Parse(content[place : place + _AT_ONCE], False)
            # A tag is handed over when it ends: until then, all of it is held.
            open_bytes = min(place + _AT_ONCE, len(content)) - max(parser.CurrentByteIndex, 0)
            if open_bytes > limits.LIMITS.token_bytes:
                raise beyond(self._file, open_bytes, "bytes in one tag", limits.LIMITS.token_bytes)
        parser.Parse(b"", True)
        return self._builder.close()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        if self._count > limits.LIMITS.elements:
            most = limits.LIMITS.elements
            raise beyond(self._file, f"more than {most:,}", "elements and attributes", most)
        self._builder.start(tag, attributes)

    def _declared(self, *_: object) -> None:
        raise _Declared
