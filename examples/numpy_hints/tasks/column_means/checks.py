"""Visible examples and hidden checks; docs/how-to/task_packs.md explains them."""

from study_app.domain.checks import Check, Same, call

# Only the returned value counts here, not what is printed or how long it takes.
VALUE = Same(lines=False, duration=False)
EXAMPLE = "the example of the brief"

CHECKS = [
    Check(EXAMPLE, call("column_means", [[1, 2], [3, 6]]), visible=True, compare=VALUE),
    # Drawn anew for each grading, so nobody can know it; wrong/mistake.py shows what it finds.
    Check("any other", lambda rng: call("column_means", [[rng.randint(0, 9) for _ in range(3)] for _ in range(2)]), compare=VALUE, varies=EXAMPLE, wrong="mistake"),
]
