"""Planned looks at the data before the end."""
