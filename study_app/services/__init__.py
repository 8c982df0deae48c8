"""Use cases: what participants, graders and researchers do, and what the server does for itself."""
