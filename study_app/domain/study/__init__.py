"""The study file as types."""
