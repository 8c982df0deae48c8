"""What is shown of participants while arms are hidden, so that all arms look alike."""
