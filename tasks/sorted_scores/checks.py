"""Checks of the sorted collections; results alone are compared, and the computing time bounds what is too slow."""

from study_app.domain.checks import Check, Same, call, uses

SAME = Same(lines=False, duration=False)
NAMES = ["Al", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Ida", "Jo", "Kit", "Lou", "Max"]


def numbers(rng, count):
    return [rng.randint(0, 50) for _ in range(count)]


def ranges(rng, count):
    return [sorted(numbers(rng, 2)) for _ in range(count)]


def players(rng, highest):
    return {name: rng.randint(1, highest) for name in rng.sample(NAMES, rng.randint(5, 10))}


CHECKS = [
    Check("running_median([5, 1, 4])", call("running_median", [5, 1, 4]), visible=True, compare=SAME),
    Check("count_between with two ranges", call("count_between", [10, 20, 20, 30], [[10, 20], [25, 29]]), visible=True,
          compare=SAME),
    Check("best two of three", call("best", {"Ida": 7, "Bo": 9, "Al": 7}, 2), visible=True, compare=SAME),
    Check("a sorted list is used", source=uses("SortedList"), visible=True),
    Check("medians of any numbers", lambda rng: call("running_median", numbers(rng, 15)), compare=SAME),
    Check("medians of no numbers", call("running_median", []), compare=SAME),
    Check("medians of many numbers", lambda rng: call("running_median", numbers(rng, 20_000)), compare=SAME),
    Check("any ranges", lambda rng: call("count_between", numbers(rng, 30), ranges(rng, 8)), compare=SAME),
    Check("ranges outside the scores", call("count_between", [3, 5], [[6, 9], [0, 2], [5, 3]]), compare=SAME),
    Check("best of any players", lambda rng: call("best", players(rng, 90), rng.randint(1, 5)), compare=SAME),
    Check("many equal scores", lambda rng: call("best", players(rng, 2), rng.randint(3, 5)), compare=SAME),
    Check("more wanted than there are", lambda rng: call("best", players(rng, 20), 50), compare=SAME),
]
