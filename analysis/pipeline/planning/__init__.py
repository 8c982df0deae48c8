"""The analysis plan: read, checked, compared with its registration."""
