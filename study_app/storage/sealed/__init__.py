"""What the chain of records holds of the database itself, beyond the cells that a dataset has."""
