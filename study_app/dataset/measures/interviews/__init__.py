"""Interviews as the log has them."""
