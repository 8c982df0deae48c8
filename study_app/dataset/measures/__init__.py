"""Measures derived from one participant's record: the columns of the participants table."""
