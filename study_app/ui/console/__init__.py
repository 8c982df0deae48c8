"""The researchers' console."""
