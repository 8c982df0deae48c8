"""Factorial designs in the pipeline: the rows that a study with factors has, and what its methods are given."""
