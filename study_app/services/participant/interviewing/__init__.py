"""Interviews: each question is on record before anybody sees it, and each answer before the next question."""
