"""Estimators by kind of outcome."""
