"""Power of the registered plan: made-up trials through its own primary rows, with formulas beside."""
