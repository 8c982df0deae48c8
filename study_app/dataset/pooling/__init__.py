"""Several datasets of one protocol as one, each kept whole within it."""
