"""What a study file says about running the server: alerts."""
