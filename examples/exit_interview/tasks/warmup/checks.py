"""Checks of the warm-up: hidden ones draw other words for what a visible example shows."""

from study_app.domain.checks import Check, Same, call

SAME = Same(lines=False, duration=False)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(rng, shortest=1, longest=12):
    return "".join(rng.choices(LETTERS, k=rng.randint(shortest, longest)))


def words(rng, count, shortest=1):
    return [word(rng, shortest) for _ in range(count)]


def example(name, given):
    return Check(name, call("sign", given), visible=True, compare=SAME)


def hidden(name, draw, varies, wrong):
    return Check(name, lambda rng: call("sign", draw(rng)), compare=SAME, varies=varies, wrong=wrong)


THREE, ONE, NONE = "frames three words", "frames one word", "an empty list gives the smallest sign"
LONGEST, EMPTY, SPACES = "the longest word sets the width", "keeps an empty word", "keeps spaces inside a word"

CHECKS = [
    example(THREE, ["Fresh", "apple", "pie"]),
    example(ONE, ["Open"]),
    example(NONE, []),
    example(LONGEST, ["no", "bicycles", "here"]),
    example(EMPTY, ["North", "", "South"]),
    example(SPACES, ["Mind the gap", "please"]),
    hidden("any words", lambda rng: [*words(rng, rng.randint(2, 6), 3), word(rng, 1, 2)], THREE, "no_padding"),
    hidden("any single word", lambda rng: [word(rng, 5)], ONE, "fixed_width"),
    hidden("the longest word comes last", lambda rng: [*words(rng, 3), word(rng, 13, 18)], LONGEST, "width_of_first"),
    hidden("the longest word comes first", lambda rng: [word(rng, 13, 18), *words(rng, 3)], LONGEST, "width_of_last"),
    hidden("an empty word among others", lambda rng: [*words(rng, 2), "", word(rng)], EMPTY, "skips_empty"),
    hidden("words with spaces", lambda rng: [" ".join(words(rng, 2)), word(rng)], SPACES, "splits_words"),
]
