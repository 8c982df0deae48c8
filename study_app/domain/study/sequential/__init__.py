"""Sequential assignment (SMART): a second randomisation of those who did not respond to the first treatment."""
