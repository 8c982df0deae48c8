"""Coding of interviews, held against the freeze of its codebook."""

from study_app.dataset.verification.themes.codes import check_themes

__all__ = ["check_themes"]
