"""The second decision on participants: who responded, and what the others get."""
