"""Planned looks at the data: one look, and the final analysis after looks."""
