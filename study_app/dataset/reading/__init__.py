"""Reading a dataset that may have been tampered with."""
