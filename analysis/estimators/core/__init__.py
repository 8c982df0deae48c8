"""What every estimator shares: requests, validation, registry, effect sizes, results."""
