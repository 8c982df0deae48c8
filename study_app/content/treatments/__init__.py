"""Treatments as arms have them: assistants with their personas."""
