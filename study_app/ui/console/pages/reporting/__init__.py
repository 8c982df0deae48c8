"""What the analysis makes of the data, as far as the state of the trial shows it."""
