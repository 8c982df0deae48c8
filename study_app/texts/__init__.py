"""The participants' texts: one catalogue a language."""
