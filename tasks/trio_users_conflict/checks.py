"""The twin's checks, and an example that excludes them: a missing user is in the result, and is not.

The hidden check makes the same call and asks for the task as described, so no program can pass both.
"""

from study_app.domain.checks import Case, Check, Observation, Same

STARTER = next(check.case.prelude for check in TWIN if check.name == "a user is missing")
CALL = Case("get_user_data", ([1, 2, 4],), prelude=STARTER)

CHECKS = [
    *TWIN,
    Check(
        "missing users are left out",
        CALL,
        visible=True,
        compare=Same(lines=False, duration=False),
        expect=Observation(value={1: "Ines", 4: "Tomasz"}),
    ),
    Check("a missing user among the starter's has an entry", CALL, compare=Same(lines=False)),
]
