"""Sentences of the report that several sections share."""
