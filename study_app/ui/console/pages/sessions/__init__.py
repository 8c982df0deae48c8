"""The board of a study's later sessions."""

from study_app.ui.console.pages.sessions.board import render

__all__ = ["render"]
