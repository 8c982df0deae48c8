"""From a dataset and a plan to results.json."""
