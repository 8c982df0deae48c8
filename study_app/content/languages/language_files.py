"""Writing a language file: tables of texts as TOML that people edit."""

from __future__ import annotations

import json
from collections.abc import Mapping

HEAD = """# {title}
# Read every text, change what is wrong, then put your name into reviewed_by: `study launch` asks for it.
name = {name}
reviewed_by = {reviewed_by}
"""


def as_toml(title: str, name: str, reviewed_by: str, texts: Mapping[str, str]) -> str:
    """Return a file of texts.

    Args:
        title: first line, a comment.
        name: the language's name for itself.
        reviewed_by: who has read it; empty for a draft.
        texts: dotted key -> text; keys keep their order within a table.
    """
    tables: dict[str, dict[str, str]] = {}
    for key, text in texts.items():
        table, _, last = key.rpartition(".")
        tables.setdefault(table, {})[last] = text
    parts = [HEAD.format(title=title, name=_string(name), reviewed_by=_string(reviewed_by))]
    for table, entries in tables.items():
        lines = [f"{_bare(last)} = {_string(text)}" for last, text in entries.items()]
        parts.append(f"[{'.'.join(_bare(part) for part in table.split('.'))}]\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _bare(key: str) -> str:
    plain = key and all(char.isascii() and (char.isalnum() or char in "_-") for char in key)
    return key if plain else _quoted(key)


def _string(text: str) -> str:
    """On several lines where it has several, so that people can read it."""
    if "\n" not in text or "\\" in text or '"""' in text or text.endswith('"') or not _printable(text):
        return _quoted(text)
    return f'"""\n{text}"""'


def _printable(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def _quoted(text: str) -> str:
    # A JSON string is a TOML string once DEL, which TOML does not take bare, is escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def side_by_side(source: Mapping[str, str], drafts: Mapping[str, str], back: Mapping[str, str]) -> str:
    """Source, draft and what the draft says when it is translated back, for the reviewer; Markdown."""
    parts = ["# Source, draft, and the draft translated back\n"]
    for key, draft in drafts.items():
        rows = (("source", source.get(key, "")), ("draft", draft), ("back", back.get(key, "(none)")))
        lines = "\n\n".join(f"**{label}**\n\n{_indented(text)}" for label, text in rows)
        parts.append(f"## {key}\n\n{lines}\n")
    return "\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines() or [""])
