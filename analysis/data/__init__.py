"""A dataset opened for analysis: its tables, the types of their cells, and who of them may be seen."""
