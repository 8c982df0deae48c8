"""Commands that look for faults: in a study's files, in a program, on this machine."""
