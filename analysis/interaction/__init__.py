"""How participants used the assistant: features, codes of queries, patterns, trajectories, figures."""

from __future__ import annotations

from analysis.interaction.section import styles_section

__all__ = ["styles_section"]
