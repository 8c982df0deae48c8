"""What a study expects of its people: the [rehearsal] table of a study file."""
