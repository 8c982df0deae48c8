"""A second process that reads the database as one transaction of this process sees it."""
