"""What the signature of an export is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study_app.domain.study.study import canonical_json


def signed_content(manifest: Mapping[str, Any]) -> bytes:
    """Return the manifest without its signature; it holds the hash of every file, so the signature covers them all."""
    content = {name: value for name, value in manifest.items() if name != "signature"}
    return b"study-export/1:" + canonical_json(content).encode()
