"""How participants used the assistant: features, codes of queries, patterns, trajectories, figures."""

from __future__ import annotations

from analysis.styles.section import styles_section

__all__ = ["styles_section"]
