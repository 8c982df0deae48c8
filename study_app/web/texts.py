"""Texts of the study's language for the routes."""

from __future__ import annotations

from study_app.bootstrap import current
from study_app.content.texts import catalogue


def text(key: str) -> str:
    """The text of a dotted key."""
    return catalogue(current().study.language)[key]
