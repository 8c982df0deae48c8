"""Design of a trial: power, multiplicity, interim looks, and trials simulated to check the analysis."""
