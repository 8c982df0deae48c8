"""Rows and columns against the rows and events that they are derived from, one participant after the other."""
