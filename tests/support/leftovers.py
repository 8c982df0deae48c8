"""What a test must leave as it found it, so that tests pass in every order and in every distribution over processes."""

from __future__ import annotations

import locale
import os
import signal
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any

EXEMPT = {
    "PYTEST_CURRENT_TEST",
    # Streamlit sets it when it is first imported.
    "MPLBACKEND",
    # scikit-learn sets these once, when it is first imported.
    *("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"),
    # Dask sets these while one of its threads starts a worker.
    *("MALLOC_TRIM_THRESHOLD_", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("PYTHONHASHSEED", "__DASK_PARENT_PID"),
}
"""Variables that libraries set, not tests."""


@dataclass(frozen=True)
class ProcessState:
    """What every test of a process shares and can change."""

    environment: dict[str, str]
    folder: str
    umask: int
    locale: str
    time_zone: tuple[str, ...]
    main_module: ModuleType
    import_path: list[str]
    handlers: dict[int, Any]

    @classmethod
    def now(cls) -> ProcessState:
        """Look at this process."""
        return cls(
            environment={name: value for name, value in os.environ.items() if name not in EXEMPT},
            folder=_folder(),
            umask=_umask(),
            locale=locale.setlocale(locale.LC_ALL),
            time_zone=time.tzname,
            main_module=sys.modules["__main__"],
            import_path=[path for path in map(str, sys.path) if "dask-scratch-space" not in path],
            # Not SIGALRM, which pytest-timeout sets for each test.
            handlers={number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)},
        )

    def restore(self) -> None:
        """Put everything back."""
        for name in os.environ.keys() - self.environment.keys() - EXEMPT:
            del os.environ[name]
        os.environ.update(self.environment)
        os.chdir(self.folder)
        os.umask(self.umask)
        locale.setlocale(locale.LC_ALL, self.locale)
        time.tzset()
        sys.modules["__main__"] = self.main_module
        sys.path[:] = self.import_path

    def differences(self, later: ProcessState) -> list[str]:
        """Name each part that is not as it was, with what it was and what it is; of variables the names only."""
        found = []
        for field in fields(self):
            was, became = getattr(self, field.name), getattr(later, field.name)
            if isinstance(was, dict):
                changed = {key for key in was.keys() | became.keys() if was.get(key) != became.get(key)}
                found += [f"{field.name}: {key}" for key in sorted(changed)]
            elif was != became:
                found.append(f"{field.name}: {was!r} -> {became!r}")
        return found


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "(deleted)"


def _umask() -> int:
    """Read the umask; a system without /proc can only be asked by setting it."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1], 8) for line in status.read_text().splitlines() if line.startswith("Umask:"))
    found = os.umask(0o077)
    os.umask(found)
    return found
