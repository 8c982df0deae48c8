"""A model as the interviewer."""
