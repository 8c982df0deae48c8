"""Visible examples and hidden checks; docs/how-to/task_packs.md explains them."""

from study_app.domain.checks import Check, Same, call

# Only the returned value counts here, not what is printed or how long it takes.
VALUE = Same(lines=False, duration=False)
EXAMPLE = "das Beispiel der Aufgabe"

CHECKS = [
    Check(EXAMPLE, call("names", "a"), visible=True, compare=VALUE),
    # Drawn anew for each grading, so nobody can know it; wrong/mistake.py shows what it finds.
    Check("any other", lambda rng: call("names", rng.choice("bcdefghilmnoprst")), compare=VALUE, varies=EXAMPLE, wrong="mistake"),
]
