"""Interviews: the plan of one, what may be asked next, and the rules on how it is asked."""
