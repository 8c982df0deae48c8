"""Steps of an agent and decisions on them, derived from the log once more."""
