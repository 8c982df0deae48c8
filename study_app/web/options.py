"""Streamlit's options: from the project's `.streamlit/config.toml`, wherever the apps are started, and nowhere else."""

from __future__ import annotations

import sysconfig
from pathlib import Path

CONFIG = "config.toml"
FOLDERS = (Path(__file__).parents[2] / ".streamlit", Path(sysconfig.get_path("data")) / "share/study-app/.streamlit")
"""In a checkout, and where an installed wheel keeps it."""


def config_file() -> Path:
    """The file of Streamlit's options.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    for folder in FOLDERS:
        if (folder / CONFIG).is_file():
            return folder / CONFIG
    raise FileNotFoundError(f"{CONFIG} is in none of {', '.join(map(str, FOLDERS))}; install study-app again")


def configure_streamlit() -> None:
    """Make Streamlit read the project's options; call it before an app is made.

    Streamlit would also read `~/.streamlit/config.toml` and the working directory's: a user's base path, theme or
    port there must not change a trial. Secrets are found as ever.
    """
    from streamlit import config

    found = str(config_file())
    others = getattr(config.get_config_files, "others", config.get_config_files)

    def files(file_name: str) -> list[str]:
        return [found] if file_name == CONFIG else others(file_name)

    files.others = others  # type: ignore[attr-defined]
    config.get_config_files = files
    config.get_config_options(force_reparse=True)
