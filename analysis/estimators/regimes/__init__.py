"""Sequential assignment: embedded regimes, and second treatments among people who did not respond."""
