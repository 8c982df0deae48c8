"""Coders of queries: readable rules, Claude, people; and how well they agree."""
