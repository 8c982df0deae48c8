"""Edits of texts: their algebra, and where each character came from."""
