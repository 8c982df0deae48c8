"""Factors: arms that are the cells of a factorial design."""
