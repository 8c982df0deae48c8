"""Giving up every right that a run does not need: Landlock, seccomp, limits."""
