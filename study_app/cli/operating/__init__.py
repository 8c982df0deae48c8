"""Commands of those who operate a server."""
