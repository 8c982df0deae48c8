"""Copies of a study's database and files in one archive, made while the study runs, and put back."""
