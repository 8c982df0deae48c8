"""What a study does to its tasks besides the assistant: variants that cannot be solved, probes of feeling."""
