"""Texts of a study in other languages: their files and what is checked of them."""
