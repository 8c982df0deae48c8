"""QR codes of addresses, as SVG."""

from __future__ import annotations

import io

import segno

QUIET_ZONE = 4
"""White modules around the code, without which readers do not find it."""


def qr_svg(address: str, scale: float = 4) -> str:
    """Return a picture of the QR code of an address: dark on white, with error correction of a quarter."""
    picture = io.BytesIO()
    segno.make(address, error="q", micro=False).save(
        picture, kind="svg", scale=scale, border=QUIET_ZONE, dark="#000", light="#fff", xmldecl=False, nl=False
    )
    return picture.getvalue().decode()
