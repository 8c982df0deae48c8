"""Styles of use: what queries ask for, by rules; what a participant did, as numbers; which pattern that is."""
