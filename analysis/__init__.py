"""From an exported dataset and a frozen plan to results.json and a report; imports nothing of the running app."""
