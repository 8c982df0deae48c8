"""What the report says of programs that pass what they can see, by rules and by people."""
