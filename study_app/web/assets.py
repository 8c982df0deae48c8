"""Streamlit's own files and our page components, packed once and kept by the browser for ever.

Streamlit sends its scripts unpacked: 2.3 MB before the first word. Their names carry a digest, as ours do, so a packed
copy can be kept here as long as the process lives, and in the browser as long as it likes.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from study_app.page_assets import FOLDER, addresses

FOR_EVER = "public, max-age=31536000, immutable"
PACKED = {".js", ".css", ".svg", ".json", ".map"}
"""Suffixes worth packing; fonts and pictures are packed already."""
SMALLEST = 200
"""Bytes below which packing gains nothing."""
IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w.-]+\.js)["']""")
DRAWN_WITH = ("BidiComponent", "Html")
"""The parts of Streamlit's page that every screen of the participants needs besides its start."""

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    # Quality 9 packs a file in some 40 ms to within a tenth of what 11 reaches in two seconds.
    "br": lambda content: brotli.compress(content, quality=9),
    "gzip": lambda content: gzip.compress(content, 9, mtime=0),
}


class Assets:
    """Answers for files whose address names their content; everything else goes on."""

    kept: ClassVar[dict[tuple[str, str], bytes]] = {}

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        file = FILES.get(scope["path"].lstrip("/")) if scope["type"] == "http" else None
        if file is None or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        await (await respond(Request(scope), file))(scope, receive, send)


async def respond(request: Request, file: Path) -> Response:
    """Return the file, in the smallest form that the browser takes."""
    coding = best_coding(request.headers.get("accept-encoding", "")) if file.suffix in PACKED else ""
    content, coding = await run_in_threadpool(packed, file, coding)
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if coding:
        headers["Content-Encoding"] = coding
    kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0]
    return Response(content, headers=headers, media_type=kind or "application/octet-stream")


def best_coding(accepted: str) -> str:
    """Return the best packing among those that an Accept-Encoding header allows; empty for none."""
    allowed = set()
    for entry in accepted.lower().split(","):
        name, _, parameters = entry.partition(";")
        if parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            allowed.add(name.strip())
    return next((name for name in PACKERS if name in allowed), "")


def packed(file: Path, coding: str) -> tuple[bytes, str]:
    """Content and the packing it is in; packed on first use."""
    key = (str(file), coding)
    # Two threads may pack a file at once: both make the same bytes, and the second replaces the first.
    if key not in Assets.kept:
        content = file.read_bytes()
        Assets.kept[key] = PACKERS[coding](content) if coding and len(content) >= SMALLEST else content
    return Assets.kept[key], coding if file.stat().st_size >= SMALLEST else ""


class _Files:
    """Every file that has an address for ever, by that address."""

    @cached_property
    def static(self) -> Path:
        from streamlit import file_util

        return Path(file_util.get_static_dir())

    @cached_property
    def table(self) -> dict[str, Path]:
        folder = self.static / "static"
        # Known by a table made once: no path from a request is ever joined to a folder.
        table = {f"static/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
        return table | {address: FOLDER / name for name, address in addresses().items()}

    def get(self, address: str) -> Path | None:
        return self.table.get(address)

    def needed(self, names: tuple[str, ...] = DRAWN_WITH) -> list[str]:
        """Addresses of the scripts of those names and of all that they import, in Streamlit's own folder."""
        folder = self.static / "static" / "js"
        waiting = [path.name for name in names for path in folder.glob(f"{name}.*.js")]
        found: list[str] = []
        while waiting:
            name = waiting.pop()
            if name not in found and (folder / name).is_file():
                found.append(name)
                waiting += IMPORT.findall((folder / name).read_text(encoding="utf-8"))
        return [f"static/js/{name}" for name in found]


FILES = _Files()
