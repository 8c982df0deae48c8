"""Streamlit's options: from the project's `.streamlit/config.toml`, wherever the apps are started, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

CONFIG = "config.toml"
CHECKOUT = Path(__file__).parents[2] / ".streamlit" / CONFIG
SHARED = "share/study-app/.streamlit/config.toml"
"""Where a wheel carries the file, below whatever prefix it is installed to."""


def config_file() -> Path:
    """Find the file of Streamlit's options, in a checkout or where a wheel put it.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    for file in (CHECKOUT, *_installed()):
        if file.is_file():
            return file
    raise FileNotFoundError(f"{SHARED} is missing from this installation; install study-app again")


def _installed() -> Iterator[Path]:
    """Yield the file as the installer recorded it, which differs between environments, user folders and `--target`."""
    try:
        files = distribution("study-app").files or ()
    except PackageNotFoundError:
        return
    for file in files:
        if file.as_posix().endswith(SHARED):
            yield Path(str(file.locate())).resolve()


def configure_streamlit() -> None:
    """Make Streamlit read the project's options; call it before an app is made.

    Streamlit would also read `~/.streamlit/config.toml` and the working directory's: a user's base path, theme or
    port there must not change a trial. Secrets are found as usual.
    """
    from streamlit import config

    found = str(config_file())
    # Called twice in a process, as by tests, it must not wrap its own replacement.
    others = getattr(config.get_config_files, "others", config.get_config_files)

    def files(file_name: str) -> list[str]:
        return [found] if file_name == CONFIG else others(file_name)

    files.others = others  # type: ignore[attr-defined]
    config.get_config_files = files
    config.get_config_options(force_reparse=True)
