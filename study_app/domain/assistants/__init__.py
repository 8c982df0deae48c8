"""Assistants as treatments: their specification, budget, model and fidelity."""
