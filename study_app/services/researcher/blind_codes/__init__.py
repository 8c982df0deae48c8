"""Codes that people and models give to texts and programs, without what tells the arm."""
