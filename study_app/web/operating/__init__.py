"""What a web process has for those who operate it: logs, metrics, readiness, and which proxy it believes."""
