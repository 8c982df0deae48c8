"""Probes of affect during tasks: asking, answering, and the clock that stands still meanwhile."""
