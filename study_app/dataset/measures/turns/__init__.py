"""What the log says of turns with an assistant beside their words."""
