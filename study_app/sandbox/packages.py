"""Which files a pack's programs may read: the standard library, shared libraries, and the packages it names.

Packages come from site folders: those of this Python, or the one that holds a study's own requirements.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import PathDistribution
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

EXTRA_MODULES = {
    "trio": ("trio.testing",),
    "matplotlib": ("matplotlib.pyplot", "matplotlib.backends.backend_agg"),
    "scipy": ("scipy.stats", "scipy.optimize"),
    "seaborn": ("matplotlib.pyplot", "matplotlib.backends.backend_agg"),
    "sklearn": ("sklearn.linear_model", "sklearn.model_selection", "sklearn.pipeline"),
    "statsmodels": ("statsmodels.api",),
}
"""Modules preloaded beside a package: for the runner's own needs, or as importing them takes a run's computing time."""

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

_METADATA = (".dist-info", ".egg-info")
_MODULE = re.compile(r"^([A-Za-z_]\w*)(?:\.py|(?:\.[\w-]+)*\.so)?$")
"""A folder, source file or extension module at the top of a site folder: what can be imported from there."""


@dataclass(frozen=True)
class Distribution:
    """One installed distribution, as its files on the disk say."""

    name: str
    """Canonical, as in PyPI's addresses."""
    metadata: str
    """Path of its metadata."""
    entries: frozenset[str]
    """What it has at the top of its site folder: packages, modules, extension modules, bundled shared libraries."""
    native: bool = False
    """It brings compiled code."""

    @property
    def modules(self) -> set[str]:
        """Top-level names that can be imported."""
        return {match.group(1) for entry in self.entries if (match := _MODULE.match(entry))}

    @property
    def version(self) -> str:
        """Its version."""
        return PathDistribution(Path(self.metadata)).version

    def requirements(self, extras: Iterable[str]) -> Iterator[Requirement]:
        """Yield what it requires here, with some of its extras."""
        wanted = ["", *extras]
        for text in PathDistribution(Path(self.metadata)).requires or []:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted):
                yield requirement


def _distribution(metadata: Path) -> Distribution:
    """Return what the files of a distribution say: it lists them, or at least declares its modules."""
    found: set[str] = set()
    native = False
    # Installers write one of these lists: of wheels, of eggs by pip, of eggs by setuptools.
    for name in ("RECORD", "installed-files.txt", "SOURCES.txt"):
        try:
            text = (metadata / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        paths = [line.split(",")[0].strip('"').removeprefix("./") for line in text.splitlines()]
        found |= {path.partition("/")[0] for path in paths if not path.startswith("..")}
        native = any(path.endswith(".so") for path in paths)
        break
    with contextlib.suppress(OSError):
        found |= set((metadata / "top_level.txt").read_text(encoding="utf-8").split())
    entries = frozenset(entry for entry in found if entry and entry != "__pycache__" and not entry.endswith(_METADATA))
    return Distribution(canonicalize_name(metadata.name.partition("-")[0]), str(metadata), entries, native)


def _distributions_in(folder: str) -> Iterator[Distribution]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if name.endswith(_METADATA) and os.path.isdir(os.path.join(folder, name)):
            yield _distribution(Path(folder, name))


@dataclass(frozen=True)
class Installation:
    """What is installed in site folders, the earlier first."""

    folders: tuple[str, ...]
    distributions: dict[str, Distribution] = field(default_factory=dict)
    """By canonical name."""

    def needed(self, packages: Iterable[str]) -> list[Distribution]:
        """Return the distributions of some import names, with everything that they require.

        None for the standard library.
        """
        tops = {package.partition(".")[0] for package in packages}
        waiting: list[tuple[str, frozenset[str]]] = [
            (name, frozenset()) for name, found in self.distributions.items() if tops & found.modules
        ]
        seen: dict[str, frozenset[str]] = {}
        while waiting:
            name, extras = waiting.pop()
            before = seen.get(name)
            # Met again with other extras, a distribution is looked at again: each extra may require more.
            if name not in self.distributions or (before is not None and extras <= before):
                continue
            seen[name] = extras | (before or frozenset())
            for requirement in self.distributions[name].requirements(seen[name]):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
        return [self.distributions[name] for name in sorted(seen)]

    def modules(self, packages: Iterable[str]) -> list[str]:
        """Return the top-level import names of the packages and of everything they require."""
        packages = [package.partition(".")[0] for package in packages]
        names = {name for found in self.needed(packages) for name in found.modules}
        return sorted((names | set(packages)) - set(sys.stdlib_module_names))

    def versions(self, packages: Iterable[str]) -> dict[str, str]:
        """Distribution -> version, of the packages and of everything they require."""
        return {found.name: found.version for found in self.needed(packages)}

    def native(self, packages: Iterable[str]) -> bool:
        """Return whether the packages or what they require bring compiled code."""
        return any(found.native for found in self.needed(packages))

    def missing(self, packages: Iterable[str]) -> list[str]:
        """Those of the packages that are not there."""
        tops = ((name, name.partition(".")[0]) for name in packages)
        return [name for name, top in tops if top not in sys.stdlib_module_names and not self._files(top)]

    def readable(self, packages: Iterable[str]) -> list[str]:
        """Files and folders of the packages and of everything they require, their metadata among them."""
        packages = list(packages)
        needed = self.needed(packages)
        inside = [
            str(Path(found.metadata).parent / entry)
            for found in needed
            for entry in found.entries
            if not entry.endswith(".pth") and entry not in ("bin", "share", "etc", "include")
        ]
        own = [path for name in self.modules(packages) for path in self._files(name)]
        return [*inside, *own, *self.metadata(packages)]

    def metadata(self, packages: Iterable[str]) -> list[str]:
        """Paths of the metadata of the packages and of everything they require."""
        return [found.metadata for found in self.needed(packages)]

    def _files(self, name: str) -> list[str]:
        """Return where a top-level name lies, also where no distribution owns it."""
        sources = [path for folder in self.folders for path in (Path(folder, name), Path(folder, f"{name}.py"))]
        binary = [
            path for folder in self.folders for path in glob.glob(f"{glob.escape(os.path.join(folder, name))}.*so")
        ]
        return [str(path) for path in sources if path.exists()] + binary


def installation(folders: Sequence[str] = ()) -> Installation:
    """Return what is installed in some site folders.

    Args:
        folders: where a study's own packages are; empty for those of this Python.
    """
    real = tuple(dict.fromkeys(map(os.path.realpath, folders))) or tuple(site_folders())
    return _installation(real, tuple(_changed(folder) for folder in real))


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=16)
def _installation(folders: tuple[str, ...], _changed_at: tuple[int, ...]) -> Installation:
    # Kept: it reads the files of every distribution, which would hold up everybody each time a fork server is replaced.
    found: dict[str, Distribution] = {}
    for folder in folders:
        for distribution in _distributions_in(folder):
            found.setdefault(distribution.name, distribution)
    return Installation(folders, found)


def site_folders() -> list[str]:
    """Folders where packages are installed: real paths, as an environment may lie behind a link."""
    known = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), site.getusersitepackages()}
    named = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    installed = [*named, *(entry for entry in sorted(known) if entry and Path(entry).is_dir())]
    return list(dict.fromkeys(map(os.path.realpath, installed)))


def _standard_library() -> list[str]:
    """Return the library's entries one by one, for site-packages may lie among them."""
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib", vars={"platbase": sys.base_exec_prefix})}
    entries = [entry for folder in folders if folder and os.path.isdir(folder) for entry in os.scandir(folder)]
    kept = [entry.path for entry in entries if entry.name not in ("site-packages", "dist-packages")]
    return [*kept, *(entry for entry in sys.path if entry.endswith(".zip"))]


def _shared_libraries() -> list[str]:
    multiarch = glob.glob("/usr/lib/*-linux-*") + glob.glob("/lib/*-linux-*")
    folders = ["/usr/lib64", "/lib64", *(multiarch or ["/usr/lib", "/lib"])]
    return [*folders, *glob.glob(f"{glob.escape(sys.base_prefix)}/lib/lib*.so*"), "/etc/ld.so.cache"]


def readable_paths(packages: Sequence[str], folders: Sequence[str] = ()) -> list[str]:
    """Return every file and folder that programs may read; real paths, for Landlock looks at what is really there."""
    system = ["/usr/share/zoneinfo", "/etc/localtime", "/dev/null", "/dev/urandom"]
    own = installation(folders).readable(packages)
    paths = [*_standard_library(), *_shared_libraries(), *own, *system]
    return sorted({os.path.realpath(path) for path in paths if os.path.exists(path)})


def hidden_prefixes() -> list[tuple[str, str]]:
    """Return what of a path is not shown to participants: (prefix, replacement), longest first."""
    own = str(Path(__file__).resolve().parents[2])
    folders = [*site_folders(), sysconfig.get_path("stdlib"), sys.prefix, sys.base_prefix, own]
    prefixes = {form for folder in folders if folder for form in (folder, os.path.realpath(folder))}
    return [(f"{prefix.rstrip('/')}/", "") for prefix in sorted(prefixes - {"/", "/usr"}, key=len, reverse=True)]
