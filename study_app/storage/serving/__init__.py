"""What servers of one study know of each other."""
