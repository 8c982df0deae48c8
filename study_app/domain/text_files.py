"""Turning the bytes of a text file that a user saved into text: UTF-8, with or without a byte order mark."""

from __future__ import annotations

import tomllib
from typing import Any

from study_app.domain.errors import Problem, ProblemsFound

_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
"""Byte order marks of other encodings; the longer ones first, because one begins with another."""
REMEDY = "save it as UTF-8 (in Notepad: Save as, Encoding UTF-8; in Excel: CSV UTF-8)"


def decode_text(data: bytes, file: str) -> str:
    """Return the text of a file, without a byte order mark and with line feeds as its only line ends.

    Args:
        data: the whole file.
        file: as the user named it, for the message.

    Raises:
        ProblemsFound: the file is not UTF-8; the message names the encoding that it seems to have.
    """
    found = _other_encoding(data)
    if found is None:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            found = _invalid(data, error)
        else:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise ProblemsFound([Problem(file, "", found, REMEDY)])


DEEPEST = 60
"""Tables and lists within each other; no file of ours has ten."""


def parse_toml(text: str) -> dict[str, Any]:
    """Read TOML.

    Raises:
        TOMLDecodeError: it is not TOML, or nothing that a program can hold: the parser gives up by other errors at
            brackets without end and at numbers of thousands of digits, and every walk over keys without end would.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise tomllib.TOMLDecodeError(f"a value cannot be read ({error})") from None
    level: list[Any] = [content]
    for _ in range(DEEPEST):
        level = [value for each in level for value in (each.values() if isinstance(each, dict) else each)
                 if isinstance(value, dict | list)]  # fmt: skip
    if level:
        raise tomllib.TOMLDecodeError(f"tables or lists lie more than {DEEPEST} deep within each other")
    return content


def _other_encoding(data: bytes) -> str | None:
    """Return what says that the file is not UTF-8: another byte order mark, or the zero bytes of wide characters."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return f"is {name} text, found its byte order mark"
    if b"\0" not in data:
        return None
    even, odd = data[::2].count(0), data[1::2].count(0)
    if max(even, odd) > len(data) // 8 and min(even, odd) * 4 <= max(even, odd):
        return "seems to be UTF-16 text, found a zero byte in every other place"
    return f"is not a text file, found a zero byte in line {_line(data, data.index(0))}"


def _invalid(data: bytes, error: UnicodeDecodeError) -> str:
    line = _line(data, error.start)
    byte = data[error.start : error.start + 1]
    try:
        shown = byte.decode("cp1252")
    except UnicodeDecodeError:
        return f"is not UTF-8 text, found the byte 0x{byte.hex().upper()} in line {line}"
    what = f"is not UTF-8 text, found the byte 0x{byte.hex().upper()} in line {line}"
    return f"{what}; it seems to be Windows-1252 or Latin-1, where that byte is '{shown}'"


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1
