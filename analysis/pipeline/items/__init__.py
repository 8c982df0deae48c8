"""Rows of single items, for models over answers."""
