"""Content of a study: how its paths are spelled and what its library offers."""
