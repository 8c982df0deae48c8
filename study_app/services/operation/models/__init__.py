"""The models of a study over time: the daily look at their provider, and rounds of the same questions to each."""
