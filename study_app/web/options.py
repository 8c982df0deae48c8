"""Streamlit's options, apart from what imports Streamlit: they must be set before that."""

from __future__ import annotations

import os

STREAMLIT_OPTIONS = {
    "SERVER_HEADLESS": "true",
    "SERVER_FILE_WATCHER_TYPE": "none",
    "SERVER_RUN_ON_SAVE": "false",
    "SERVER_SHOW_EMAIL_PROMPT": "false",
    "SERVER_ENABLE_AGENT_API": "false",
    "BROWSER_GATHER_USAGE_STATS": "false",
    "CLIENT_TOOLBAR_MODE": "minimal",
    "CLIENT_SHOW_ERROR_DETAILS": "none",
    "CLIENT_SHOW_ERROR_LINKS": "false",
    "RUNNER_MAGIC_ENABLED": "false",
    # A full garbage collection after each script run costs about 100 ms; see docs/design/streamlit.md.
    "RUNNER_POST_SCRIPT_GC": "false",
    "GLOBAL_SUPPRESS_DEPRECATION_WARNINGS": "true",
    "LOGGER_LEVEL": "warning",
}


def configure_streamlit() -> None:
    """Set Streamlit's options by environment; must run before Streamlit is imported."""
    for name, value in STREAMLIT_OPTIONS.items():
        os.environ[f"STREAMLIT_{name}"] = value
