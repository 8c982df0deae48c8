"""Integrity of a dataset: the chain of records, anchors, hashes and the signature."""
