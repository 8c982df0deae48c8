"""The rows of a study with a second decision."""
