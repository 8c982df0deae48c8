"""Secrets at rest: the sealing key and the console's accounts."""
