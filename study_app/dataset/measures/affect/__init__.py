"""Affect: probes during tasks, as rows."""
