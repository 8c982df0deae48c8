"""Themes of interviews: the codebook, its freeze, the sealed half, the gold sample, and coding by its keywords."""
