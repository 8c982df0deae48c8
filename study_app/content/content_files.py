"""Which files of a content folder count: nothing hidden, no bytecode."""

from __future__ import annotations

from pathlib import Path


def content_files(folder: Path, *, hidden_folders: bool = False) -> list[Path]:
    """Return the files below a folder that are part of its content, sorted.

    What editors, notebooks and git keep in folders such as `.vscode` and `.git` changes without anybody's doing.

    Args:
        folder: of a task pack or an item bank.
        hidden_folders: whether files in hidden folders count, too, as they did in earlier releases.
    """
    found = [path for path in sorted(folder.rglob("*")) if is_content(path)]
    return [path for path in found if _counts(path.relative_to(folder).parts, hidden_folders=hidden_folders)]


def linked_below(folder: Path, *, hidden_folders: bool = False) -> list[Path]:
    """Return links to folders below a folder, but those in folders whose files do not count."""
    found = [path for path in folder.rglob("*") if path.is_symlink() and path.is_dir()]
    return [path for path in found if _counts(path.relative_to(folder).parts, hidden_folders=hidden_folders)]


def _counts(parts: tuple[str, ...], *, hidden_folders: bool) -> bool:
    return "__pycache__" not in parts and (hidden_folders or not any(map(is_hidden, parts)))


def content_named(folder: Path, pattern: str) -> list[Path]:
    """Return what in a folder fits a pattern, sorted, without the copies that editors and Finder hide there."""
    return [path for path in sorted(folder.glob(pattern)) if not is_hidden(path.name)]


def is_content(path: Path) -> bool:
    """Return whether a file counts by its name, and is not bytecode."""
    return path.is_file() and "__pycache__" not in path.parts and not is_hidden(path.name)


def is_hidden(name: str) -> bool:
    """Return whether a name is one of a hidden file or folder."""
    return name.startswith(".")
