"""What may differ between versions of a study, and how that is told."""
