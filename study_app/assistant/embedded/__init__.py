"""The parts of the embedded assistant: reading a message, looking at a program, wording what was found."""
