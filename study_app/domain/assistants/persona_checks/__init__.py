"""Checks of what a persona changes: whether people recognise it, and whether the help stays equal."""
