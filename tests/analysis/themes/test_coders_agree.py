import numpy as np
import pytest

from analysis.agreement import cohen_kappa, krippendorff_alpha
from analysis.themes.reliability import Unit, against_people, agreement_of_people, coincidences

LABELS = ("hurry", "trust")
RNG = np.random.default_rng(5)


def units(n=60, people=15, wrong=0.15, coders=("ann", "ben", "cy")):
    found = []
    for place in range(n):
        true = {label for label in LABELS if RNG.random() < 0.4}
        codes = {
            coder: frozenset(label for label in LABELS if (label in true) != (RNG.random() < wrong))
            for coder in coders
            if coder != "cy" or place % 3 == 0
        }
        found.append(Unit(f"p{place % people}", "ai" if place % people < 8 else "no_ai", codes))
    return found


UNITS = units()


def test_kappa_is_of_the_two_people_who_share_most_and_alpha_of_all():
    found = agreement_of_people(UNITS, LABELS)["hurry"]
    pair = [[("hurry" in unit.codes[name]) for unit in UNITS] for name in ("ann", "ben")]
    assert found["kappa"]["estimate"] == pytest.approx(float(cohen_kappa(*pair)))
    assert found["kappa"]["coders"] == ["ann", "ben"]
    table = [[int("hurry" in codes[name]) if name in (codes := unit.codes) else None for name in ("ann", "ben", "cy")]
             for unit in UNITS]  # fmt: skip
    assert found["alpha"]["estimate"] == pytest.approx(float(krippendorff_alpha(table)))
    for figure in found.values():
        assert figure["ci_low"] < figure["estimate"] < figure["ci_high"]


def test_alpha_from_weighted_pairs_is_the_library_s():
    votes = [[True, True, False], [False, False], [True, False], [True, True], [False, False, False]]
    both, mixed, neither = np.sum([coincidences(vote) for vote in votes], axis=0)
    yes, no = both + mixed, neither + mixed
    table = [[*map(int, vote), *[None] * (3 - len(vote))] for vote in votes]
    assert 1 - (yes + no - 1) * mixed / (yes * no) == pytest.approx(float(krippendorff_alpha(table)))


def test_intervals_are_drawn_over_participants():
    repeated = [Unit(unit.participant_id, unit.arm, unit.codes) for unit in UNITS for _ in range(4)]
    alone = [Unit(f"{unit.participant_id}:{place}", unit.arm, unit.codes) for place, unit in enumerate(repeated)]
    by_person = agreement_of_people(repeated, LABELS)["trust"]["kappa"]
    by_answer = agreement_of_people(alone, LABELS)["trust"]["kappa"]
    assert by_person["estimate"] == by_answer["estimate"]
    assert by_person["std_error"] > 1.3 * by_answer["std_error"]
    assert agreement_of_people(UNITS, LABELS, seed=3) == agreement_of_people(UNITS, LABELS, seed=3)


def test_codes_without_variation_have_no_agreement_and_say_why():
    same = [Unit(f"p{n}", "ai", {"ann": frozenset(), "ben": frozenset()}) for n in range(5)]
    found = agreement_of_people(same, ["hurry"])["hurry"]
    assert [found[name]["estimate"] for name in ("kappa", "alpha")] == [None, None]
    assert all(found[name]["note"] for name in ("kappa", "alpha"))
    nothing = agreement_of_people([], ["hurry"])["hurry"]
    assert nothing["kappa"]["n"] == 0


def test_precision_and_recall_are_counted_by_arm():
    def coded(arm, machine, people):
        codes = {"rules": frozenset(machine), "people": frozenset(people)}
        return Unit(f"{arm}{len(found)}", arm, codes)

    found = []
    for arm, machine, people in (
        ("ai", ["hurry"], ["hurry"]), ("ai", ["hurry"], []), ("ai", ["hurry"], []), ("ai", [], []),
        ("no_ai", ["hurry"], ["hurry"]), ("no_ai", [], ["hurry"]), ("no_ai", [], []),
    ):  # fmt: skip
        found.append(coded(arm, machine, people))
    arms = against_people(found, "rules", "people", ["hurry"])["hurry"]["arms"]
    assert [(arms[a][b]["count"], arms[a][b]["n"]) for a in ("ai", "no_ai") for b in ("precision", "recall")] == [
        (1, 3), (1, 1), (1, 1), (1, 2),
    ]  # fmt: skip
    assert arms["ai"]["precision"]["ci_low"] < 1 / 3 < arms["ai"]["precision"]["ci_high"]
