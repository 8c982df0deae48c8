"""Description of the participants and of the treatment."""
