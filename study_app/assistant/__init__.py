"""Answers participants: Claude, an embedded assistant that reads the task pack's notes, or a recording."""
