"""Visible examples and hidden checks; docs/how-to/task_packs.md explains them."""

from study_app.domain.checks import Check, Same, call

# Only the returned value counts here, not what is printed or how long it takes.
VALUE = Same(lines=False, duration=False)
EXAMPLE = "the example of the brief"

CHECKS = [
    Check(EXAMPLE, call("middle", [30, 10, 20]), visible=True, compare=VALUE),
    # Drawn anew for each grading, so nobody can know it; wrong/mistake.py shows what it finds.
    Check("any other", lambda rng: call("middle", [rng.randint(1, 99) for _ in range(7)]), compare=VALUE, varies=EXAMPLE, wrong="mistake"),
]
