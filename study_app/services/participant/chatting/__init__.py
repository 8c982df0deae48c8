"""Talking with the assistant: what a participant may ask, and the reply as it grows."""
