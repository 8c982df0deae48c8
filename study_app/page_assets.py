"""The addresses of the page components' built files: each name carries a digest, so that browsers keep it for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "ui" / "components" / "assets"
PREFIX = "assets"
DIGITS = 12


@cache
def addresses() -> dict[str, str]:
    """File name to address below the app's root, such as `assets/1f0c.../workspace.js`."""
    return {file.name: f"{PREFIX}/{_digest(file)}/{file.name}" for file in sorted(FOLDER.glob("*.js"))}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:DIGITS]
