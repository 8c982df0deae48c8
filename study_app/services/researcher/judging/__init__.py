"""What researchers judge: ratings, looks at others' judgements, and texts that are final."""
