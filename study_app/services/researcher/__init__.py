"""Use cases of researchers: one function for each act, whichever surface it is called from."""
