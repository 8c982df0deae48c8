"""A machine for a test of the deployment page: accounts, folders and network of its own."""
