"""Checks of the sorted collections; results alone are compared, and the computing time bounds what is too slow."""

from study_app.domain.checks import Check, Same, call, name, uses

SAME = Same(lines=False, duration=False)
NAMES = ["Al", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Ida", "Jo", "Kit", "Lou", "Max"]
MANY = "many_numbers = [number * 7919 % 20011 for number in range(20_000)]"


def numbers(rng, count):
    return [rng.randint(0, 50) for _ in range(count)]


def odd_and_even(rng):
    """Distinct numbers, so that the two in the middle always differ."""
    return call("running_median", rng.sample(range(100), 15))


def ranges(rng, count):
    return [sorted(numbers(rng, 2)) for _ in range(count)]


def both_ends(rng):
    """Ranges whose ends are scores, so that it matters whether these count."""
    scores = numbers(rng, 30)
    return call("count_between", scores, [sorted(rng.sample(scores, 2)) for _ in range(8)])


def outside(rng):
    scores = [rng.randint(20, 30) for _ in range(5)]
    return call("count_between", scores, [sorted([rng.randint(31, 50), 60]), sorted([1, rng.randint(2, 19)])])


def players(rng, highest):
    return {name: rng.randint(1, highest) for name in rng.sample(NAMES, rng.randint(6, 10))}


def tied(rng):
    """Everybody has the same score, and the names do not come in alphabetical order."""
    names = sorted(rng.sample(NAMES, rng.randint(5, 10)), reverse=True)
    return call("best", dict.fromkeys(names, rng.randint(1, 9)), rng.randint(2, 4))


def example(title, case):
    return Check(title, case, visible=True, compare=SAME)


def hidden(title, draw, varies, wrong):
    return Check(title, draw, compare=SAME, varies=varies, wrong=wrong)


MEDIAN, NO_NUMBERS, FAST = "running_median([5, 1, 4])", "running_median([])", "running_median of 20,000 numbers in time"
BETWEEN, OUTSIDE = "count_between counts both ends", "ranges without a score"
BEST, TIED, FEW = "best two of four", "equal scores in alphabetical order", "more wanted than there are"

CHECKS = [
    example(MEDIAN, call("running_median", [5, 1, 4])),
    example(NO_NUMBERS, call("running_median", [])),
    example(FAST, call("running_median", name("many_numbers"), prelude=MANY)),
    example(BETWEEN, call("count_between", [10, 20, 20, 30], [[10, 20], [25, 29]])),
    example(OUTSIDE, call("count_between", [3, 5], [[6, 9], [0, 2]])),
    example(BEST, call("best", {"Ida": 7, "Bo": 9, "Cy": 3, "Al": 7}, 2)),
    example(TIED, call("best", {"Max": 4, "Flo": 4, "Di": 4}, 3)),
    example(FEW, call("best", {"Ida": 7, "Bo": 9}, 5)),
    Check("a sorted list is used", source=uses("SortedList"), visible=True),
    hidden("medians of any numbers", odd_and_even, MEDIAN, "upper_median"),
    hidden("any ranges", both_ends, BETWEEN, "ends_excluded"),
    hidden("ranges outside the scores", outside, OUTSIDE, "at_least_one"),
    hidden("best of any players", lambda rng: call("best", players(rng, 90), rng.randint(2, 5)), BEST, "worst_first"),
    hidden("many equal scores", tied, TIED, "names_backwards"),
    hidden("more wanted than there are players", lambda rng: call("best", players(rng, 20), 50), FEW, "fills_up"),
]
