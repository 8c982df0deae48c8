"""Checks of the warm-up: the visible ones are those of the brief, the hidden ones are drawn anew for each grading."""

from study_app.domain.checks import Check, Same, call

SAME = Same(lines=False, duration=False)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(rng, shortest=1, longest=12):
    return "".join(rng.choices(LETTERS, k=rng.randint(shortest, longest)))


def words(rng, count, shortest=1):
    return [word(rng, shortest) for _ in range(count)]


CHECKS = [
    Check("frames three words", call("sign", ["Fresh", "apple", "pie"]), visible=True, compare=SAME),
    Check("frames one word", call("sign", ["Open"]), visible=True, compare=SAME),
    Check("frames nothing at all", call("sign", []), compare=SAME),
    Check("takes the width from the longest word", lambda rng: call("sign", words(rng, rng.randint(2, 6))), compare=SAME),
    Check("longest word last", lambda rng: call("sign", [*words(rng, 3), word(rng, 13, 18)]), compare=SAME),
    Check("an empty word among others", lambda rng: call("sign", [*words(rng, 2), "", word(rng)]), compare=SAME),
    Check("words with spaces in them", lambda rng: call("sign", [" ".join(words(rng, 2)), word(rng)]), compare=SAME),
]
