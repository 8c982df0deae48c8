"""Collecting what the database holds into a dataset."""
