"""What may befall the files of a dataset: bytes, lines, cells and JSON that no export writes."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from support.hostile.hostile_values import NUMBERS, TEXTS, anything

CELLS = (
    "", " ", "NA", "nan", "NaN", "inf", "-inf", "1e999", "-0", "0x10", "1_000", "٣", "1,5", "9" * 400, "1e-400", "TRUE",
    "2", "-1", "99999999999999999999", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999-23:00", "2026-02-30", "{}",
    "[]", "null", '"x"', "{", '{"a":' * 500, "[" * 5000, "=1+1", "'", '"', "\r", "a\nb", "\x00", "\ufeff", "\u2028",
    "id0000000001", "real", "launched", "ai", "page", "\U0001f600", "a" * 200_000,
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-8-sig", "latin-1", "cp037", "utf-32-le")
GARBAGE = (
    b"", b"\n", b"\xff\xfe", b"\x00" * 64, b"[" * 100_000, b"{}", b"[]", b"5", b"null", b'"x"', b"a,b\n1\n2,3,4\n",
)  # fmt: skip


def damage(folder: Path, rng: Random) -> None:
    """Change one to four files of a dataset."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        # What the checks depend on most is met most often.
        likely = [path for path in files if path.suffix in (".csv", ".parquet") or path.name == "manifest.json"]
        if not files:
            return
        path = rng.choice(likely if likely and rng.random() < 0.7 else files)
        rng.choice(
            (_cells, _cells, _lines, _bytes, _whole) if path.suffix == ".csv" else (_json, _json, _bytes, _whole)
        )(path, rng)


def _cells(path: Path, rng: Random) -> None:
    """Some cells replaced by odd values, rows of another length, columns renamed or exchanged."""
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    except (csv.Error, ValueError):
        return _bytes(path, rng)
    if not rows or not rows[0]:
        return _bytes(path, rng)
    for _ in range(rng.choice((1, 2, 20))):
        row = rng.choice(rows if rng.random() < 0.9 else rows[:1])
        if row:
            row[rng.randrange(len(row))] = (
                rng.choice(CELLS) if rng.random() < 0.7 else rng.choice(rng.choice(rows) or [""])
            )
    if rng.random() < 0.1:
        rng.choice(rows).append("more")
    if rng.random() < 0.1:
        place = rng.randrange(len(rows[0]))
        rows = [row[:place] + row[place + 1 :] for row in rows]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    path.write_bytes(out.getvalue().encode("utf-8", "surrogatepass"))
    return None


def _lines(path: Path, rng: Random) -> None:
    """Lines removed, repeated, exchanged or broken off."""
    lines = path.read_bytes().splitlines(keepends=True) or [b""]
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(other, lines[at])
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 3:
        lines = lines[:at]
    else:
        lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
    path.write_bytes(b"".join(lines))


def _bytes(path: Path, rng: Random) -> None:
    """Bytes exchanged, taken out or put in."""
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 3, 50))):
        at = rng.randrange(len(content) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            content[at : at + rng.choice((1, 5, 1000))] = b""
        elif kind == 2:
            content[at:at] = rng.randbytes(rng.choice((1, 8)))
        else:
            content[at:at] = rng.choice((b"\x00", b'"', b"\n", b",", b"\xed\xa0\x80", b"{", b"]"))
    path.write_bytes(bytes(content))


def _whole(path: Path, rng: Random) -> None:
    """The whole file gone, a folder, a link to nowhere, in another encoding, or something else."""
    content = path.read_bytes()
    kind = rng.randrange(6)
    if kind == 0:
        path.write_bytes(rng.choice(GARBAGE))
    elif kind == 1:
        try:
            path.write_bytes(content.decode("utf-8").encode(rng.choice(ENCODINGS), "replace"))
        except UnicodeDecodeError:
            path.write_bytes(content[: len(content) // 2])
    elif kind == 2:
        path.write_bytes(content[: rng.randrange(len(content) + 1)])
    elif kind == 3:
        shutil.copy(path, path.with_name("x" + path.name if "-" not in path.name else path.name.replace("-", "-x", 1)))
    else:
        path.unlink()
        if kind == 4 and rng.random() < 0.5:
            path.mkdir()
        elif kind == 4:
            path.symlink_to("/nonexistent")


def _json(path: Path, rng: Random) -> None:
    """Some values replaced, taken out or put in, at any depth."""
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return _bytes(path, rng)
    holder = {"": value}
    for _ in range(rng.choice((1, 1, 3, 10))):
        _replace(holder, rng)
    path.write_bytes(json.dumps(holder[""]).replace("Infinity", "1e999").encode())
    return None


def _replace(value: Any, rng: Random) -> None:
    """One value somewhere within replaced."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = rng.choice(keys)
        inner = value[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.85:
            value = inner
            continue
        change: Callable[[], Any] = rng.choice(
            (lambda: anything(rng, 2), lambda: rng.choice(NUMBERS), lambda: rng.choice(TEXTS), lambda: None)
        )
        if rng.random() < 0.2 and "" not in keys:
            del value[key]
        else:
            value[key] = change()
        return
