"""What leaves the study for everybody to read."""
