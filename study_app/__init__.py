"""Randomised controlled trials of AI-assisted learning."""

__version__ = "0.1.0"
