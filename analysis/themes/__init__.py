"""Themes of interviews: corrected shares, agreement of coders, induction, fidelity, the section of the report."""
