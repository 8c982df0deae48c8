"""Quizzes and forms: items, keys, answers and their scoring."""
