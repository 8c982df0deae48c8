"""Coding interviews: the sealed half, the frozen codebook, programs' and people's codes, the gold sample, quotes."""
