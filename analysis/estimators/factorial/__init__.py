"""Factorial designs: main effects, interactions, simple effects, and a nested control."""
