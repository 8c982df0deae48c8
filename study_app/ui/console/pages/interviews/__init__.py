"""The board on which people code interviews."""

from study_app.ui.console.pages.interviews.board import render

__all__ = ["render"]
