"""The replay of one participant's session."""
