"""What may differ between versions of a study, and how differences are shown."""
