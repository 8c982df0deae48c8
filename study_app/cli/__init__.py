"""`study VERB`: every command is thin; what it does is in the services and the analysis.

The only package that may import both study_app and analysis.
"""

from __future__ import annotations

from study_app.cli import analysing, checking, data, life, serve
from study_app.cli.common import app

__all__ = ["analysing", "app", "checking", "data", "life", "main", "serve"]


def main() -> None:
    """The command `study`."""
    app()
