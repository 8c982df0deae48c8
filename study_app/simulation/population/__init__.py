"""The people of one simulation, and the numbers that they are given."""
