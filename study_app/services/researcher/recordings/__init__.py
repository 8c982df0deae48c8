"""Recordings of a trial's turns, which answer in place of a model that is gone."""
