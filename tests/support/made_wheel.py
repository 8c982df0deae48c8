"""A library that is made on the spot, so that a test installs one without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path


def wheel(folder: Path, version: str = "1.0") -> str:
    """Write a made library `tea-pot`, whose module is `teapot`; returns its line of requirements."""
    name = f"tea_pot-{version}-py3-none-any.whl"
    info = f"tea_pot-{version}.dist-info"
    with zipfile.ZipFile(folder / name, "w") as made:
        made.writestr("teapot/__init__.py", f"def cups(n):\n    return n * 2\n\n\nVERSION = {version!r}\n")
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tea-pot\nVersion: {version}\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files = ["teapot/__init__.py", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"]
        made.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in files))
    return f"./{name}\n"
