"""A machine for a test of the deployment page: separate accounts, folders and network."""
