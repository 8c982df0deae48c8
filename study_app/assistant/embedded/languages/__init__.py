"""The embedded assistant in languages other than English."""
