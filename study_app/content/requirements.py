"""The packages that a study brings: its requirements, installed into a folder beside the study file.

The folder's name follows from the requirements and from the Python that they are installed for: a change of either
makes another folder, and an upgrade of study-app touches none.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from study_app.domain.errors import InfrastructureError, Problem, ProblemsFound
from study_app.domain.study.study import Study
from study_app.domain.text_files import decode_text

FOLDER = ".packages"
"""Beside the study file; holds a folder for each set of requirements."""
_STAMP = "installed.json"
_PINNED = re.compile(r"^[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?\s*===?\s*[^\s*,;]+\s*(?:;.*|--hash.*)?$")
_OPTION = re.compile(r"^(?:-|$)")
_OF_A_FILE = re.compile(r"^(?:-[rce]|--(?:requirement|constraint|editable)\b)")
_REMOTE = re.compile(r"(?:https?|git\+\w+)://")
_PACKAGE_FILE = (".whl", ".tar.gz", ".zip")


@dataclass(frozen=True)
class Requirements:
    """The requirements of one study on this machine."""

    file: Path
    """As the study names it, made absolute."""
    text: str

    @property
    def python(self) -> str:
        """The Python for which compiled packages are made, such as `cpython-311-x86_64-linux-gnu`."""
        return str(sysconfig.get_config_var("SOABI") or f"{sys.implementation.cache_tag}-{platform.machine()}")

    @property
    def folder(self) -> Path:
        """Where the packages are, or will be once they are installed."""
        digest = hashlib.sha256(f"{self.python}\n{self.text}".encode()).hexdigest()[:12]
        return self.file.parent / FOLDER / f"{sys.implementation.cache_tag}-{digest}"

    @property
    def installed(self) -> bool:
        """Whether they are installed, for this Python and as the file says them now."""
        return (self.folder / _STAMP).is_file()

    @property
    def elsewhere(self) -> list[str]:
        """Lines that name other files or folders, whose content the study's hash leaves out."""
        return [line for line in self._lines if _OF_A_FILE.match(line) or self._is_folder(line)]

    @property
    def local_files(self) -> list[str]:
        """Lines that name a package as a file of this machine, which no other machine has."""
        return [line for line in self._lines if line.endswith(_PACKAGE_FILE) and not _REMOTE.search(line)]

    def _is_folder(self, line: str) -> bool:
        path = line.rpartition("@")[2].strip().removeprefix("file://").removeprefix("file:").partition("[")[0]
        return ("/" in path or path in (".", "..")) and (self.file.parent / path).is_dir()

    @property
    def _lines(self) -> list[str]:
        lines = [line.partition(" #")[0].strip().removesuffix("\\").strip() for line in self.text.splitlines()]
        return [line for line in lines if line and line[0] != "#"]

    @property
    def unpinned(self) -> list[str]:
        """Lines that leave the version open, so that another machine may install another one."""
        named = [line for line in self._lines if not _OPTION.match(line)]
        return [line for line in named if not (_PINNED.match(line) or " @ " in line or line.endswith(".whl"))]

    def versions(self) -> dict[str, str]:
        """Distribution -> version of what is installed; empty before that."""
        try:
            return dict(json.loads((self.folder / _STAMP).read_text(encoding="utf-8"))["versions"])
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def requirements_of(study: Study, root: Path, file: str) -> Requirements | None:
    """Return the requirements that a study names, None where it names none.

    Args:
        study: the study.
        root: the study file's folder.
        file: the study file as the user named it.

    Raises:
        ProblemsFound: the file is missing or not text.
    """
    if not study.requirements:
        return None
    path = root / study.requirements
    try:
        return Requirements(path, decode_text(path.read_bytes(), str(path)))
    except OSError as error:
        what = f"{study.requirements} cannot be read ({error.strerror})"
        remedy = "write one line for each package there, such as networkx==3.6.1, or correct the path"
        raise ProblemsFound([Problem(file, "requirements", what, remedy)]) from None


def stamps_beside(file: Path) -> list[Path]:
    """Return what says of each set of requirements beside a file that it is installed."""
    return sorted((file.parent / FOLDER).glob(f"*/{_STAMP}"))


def other_files_problems(requirements: Requirements | None, file: str) -> list[Problem]:
    """Return what a study's requirements take from other files: a change of these would move neither hash nor packages.

    Not a part of reading them: versions that were launched with such lines go on.
    """
    if requirements is None:
        return []
    what = "takes packages from another file or folder, whose content the study's hash leaves out"
    remedy = "write its lines into the file itself, each package with its version by =="
    key = f"requirements: {requirements.file.name}"
    return [Problem(file, key, f"'{line}' {what}", remedy) for line in requirements.elsewhere]


def requirements_problems(requirements: Requirements | None, file: str) -> list[Problem]:
    """Return whether what the study requires is installed for this Python.

    Args:
        requirements: the study's, None where it names none.
        file: the study file as the user named it.
    """
    if requirements is None or requirements.installed:
        return []
    version = platform.python_version()
    what = f"{requirements.file.name} is not installed for Python {version} as it stands"
    return [Problem(file, "requirements", what, f"run study setup {file}")]


def set_up(requirements: Requirements) -> dict[str, str]:
    """Install the requirements, whole or not at all; nothing is done where they are installed.

    Returns:
        Distribution -> version.

    Raises:
        InfrastructureError: they cannot be installed; says what the installer said.
    """
    if requirements.installed:
        return requirements.versions()
    parent = requirements.folder.parent
    parent.mkdir(exist_ok=True)
    (parent / ".gitignore").write_text("*\n", encoding="utf-8")
    # Beside its final place, for only there a rename is one step: a folder of the final name is whole, even if the
    # installer is interrupted.
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        done = subprocess.run(
            [*_installer(), "--target", str(fresh), "--requirement", str(requirements.file.resolve())],
            cwd=requirements.file.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise InfrastructureError(_complaint(requirements, done.stderr))
        found = sorted(distributions(path=[str(fresh)]), key=lambda one: one.name.lower())
        stamp = {"python": requirements.python, "versions": {one.name: one.version for one in found}}
        _compile(fresh)
        (fresh / _STAMP).write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
        _let_others_read(fresh)
        shutil.rmtree(requirements.folder, ignore_errors=True)
        fresh.rename(requirements.folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return requirements.versions()


def pinned(requirements: Requirements) -> str:
    """Return the text of a requirements file that names each installed package with its version."""
    return "".join(f"{name}=={version}\n" for name, version in requirements.versions().items())


def _installer() -> Sequence[str]:
    """Uv where it is installed, else pip."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-warn-script-location"]


def _compile(folder: Path) -> None:
    """Compile once what every fork server would otherwise compile at its start."""
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", str(folder)]
    # Some packages ship templates that are not Python; what cannot be compiled is read as source.
    subprocess.run(command, capture_output=True, check=False)


def _let_others_read(folder: Path) -> None:
    """Programs may run as another user of this machine: let it read the packages, which are not secret."""
    for path in (folder.parent, folder, *folder.rglob("*")):
        if not path.is_symlink():
            os.chmod(path, 0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _complaint(requirements: Requirements, stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    output = "\n".join(lines[-8:]) or "the installer said nothing"
    return (
        f"{requirements.file}: the packages cannot be installed; correct the file, then run study setup again\n{output}"
    )
