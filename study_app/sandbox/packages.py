"""Which files a pack's programs may read: the standard library, shared libraries, and the packages it names."""

from __future__ import annotations

import glob
import importlib.metadata
import importlib.util
import os
import site
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

EXTRA_MODULES = {"trio": ("trio.testing",)}
"""Modules preloaded beside a package, for the runner's own needs."""

STANDARD_MODULES = (
    *(
        "bisect",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "datetime",
        "enum",
        "functools",
        "heapq",
        "inspect",
    ),
    *("io", "itertools", "json", "math", "operator", "random", "re", "string", "textwrap", "threading", "time"),
    *("traceback", "typing", "warnings", "encodings.idna", "encodings.latin_1"),
)
"""Imported before the fork, so that a run starts at once and needs fewer files."""


def _distributions() -> dict[str, list[str]]:
    return {name: list(found) for name, found in importlib.metadata.packages_distributions().items()}


def _needs(distribution: str) -> set[str]:
    """Names of the distributions that an installed one requires here, itself among them."""
    seen: set[str] = set()
    waiting = [distribution]
    while waiting:
        name = waiting.pop()
        if name.lower() in seen:
            continue
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        seen.add(name.lower())
        for text in requirements:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return seen


def with_dependencies(packages: tuple[str, ...]) -> list[str]:
    """The top-level import names of the packages and of everything they require.

    Args:
        packages: import names; names of the standard library are passed over.
    """
    return list(_with_dependencies(packages))


@lru_cache(maxsize=64)
def _with_dependencies(packages: tuple[str, ...]) -> tuple[str, ...]:
    # Kept: it reads the files of every distribution, which would hold up everybody each time a fork server is replaced.
    owners = _distributions()
    needed = {need for package in packages for owner in owners.get(package, []) for need in _needs(owner)}
    modules = {name for name, found in owners.items() if needed & {owner.lower() for owner in found}}
    return tuple(sorted((modules | set(packages)) - set(sys.stdlib_module_names)))


def missing(packages: tuple[str, ...]) -> list[str]:
    """Those of the packages that cannot be imported on this machine."""
    return [name for name in packages if importlib.util.find_spec(name.partition(".")[0]) is None]


def site_folders() -> list[str]:
    """Folders where packages are installed: real paths, as an environment may lie behind a link."""
    known = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), site.getusersitepackages()}
    named = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    installed = [*named, *(entry for entry in sorted(known) if entry and Path(entry).is_dir())]
    return list(dict.fromkeys(map(os.path.realpath, installed)))


def _module_files(name: str, folders: list[str]) -> list[str]:
    found = [path for folder in folders for path in (Path(folder) / name, Path(folder) / f"{name}.py")]
    binary = [path for folder in folders for path in glob.glob(f"{glob.escape(os.path.join(folder, name))}.*.so")]
    return [str(path) for path in found if path.exists()] + binary


def _standard_library() -> list[str]:
    """The library's entries one by one, for site-packages may lie among them."""
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib", vars={"platbase": sys.base_exec_prefix})}
    entries = [entry for folder in folders if folder and os.path.isdir(folder) for entry in os.scandir(folder)]
    kept = [entry.path for entry in entries if entry.name not in ("site-packages", "dist-packages")]
    return [*kept, *(entry for entry in sys.path if entry.endswith(".zip"))]


def _shared_libraries() -> list[str]:
    multiarch = glob.glob("/usr/lib/*-linux-*") + glob.glob("/lib/*-linux-*")
    folders = ["/usr/lib64", "/lib64", *(multiarch or ["/usr/lib", "/lib"])]
    return [*folders, *glob.glob(f"{glob.escape(sys.base_prefix)}/lib/lib*.so*"), "/etc/ld.so.cache"]


def readable_paths(modules: list[str]) -> list[str]:
    """Every file and folder that programs may read; real paths, for Landlock looks at what is really there."""
    folders = site_folders()
    packages = [path for name in modules for path in _module_files(name, folders)]
    system = ["/usr/share/zoneinfo", "/etc/localtime", "/dev/null", "/dev/urandom"]
    paths = [*_standard_library(), *_shared_libraries(), *packages, *system]
    return sorted({os.path.realpath(path) for path in paths if os.path.exists(path)})


def hidden_prefixes() -> list[tuple[str, str]]:
    """What of a path is not shown to participants: (prefix, replacement), longest first."""
    own = str(Path(__file__).resolve().parents[2])
    folders = [*site_folders(), sysconfig.get_path("stdlib"), sys.prefix, sys.base_prefix, own]
    prefixes = {form for folder in folders if folder for form in (folder, os.path.realpath(folder))}
    return [(f"{prefix.rstrip('/')}/", "") for prefix in sorted(prefixes - {"/", "/usr"}, key=len, reverse=True)]
