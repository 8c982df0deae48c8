"""How recruitment stands, and what participants are paid."""

from study_app.ui.console.pages.recruiting.board import render

__all__ = ["render"]
