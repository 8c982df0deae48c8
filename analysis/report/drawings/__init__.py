"""Figures of effects: the values beside the differences, and forests of estimates."""
