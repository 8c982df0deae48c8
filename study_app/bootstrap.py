"""To come: bootstrap."""
