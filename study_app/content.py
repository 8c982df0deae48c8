"""To come: content."""
