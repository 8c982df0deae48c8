"""Who may come in, and what they take along at the end."""
