"""Answers from a recording: the turn of the same question, else of one that is near."""
