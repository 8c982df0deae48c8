"""What `study check` proves of a pack beyond its own programs."""
