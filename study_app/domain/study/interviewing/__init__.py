"""Where a study may have an interview."""
