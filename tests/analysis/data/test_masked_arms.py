"""Arms under letters: of an export that has them already, and of one that names its arms."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.data.dataset import Dataset, DeclaredArm, StudyMeta, Tables
from analysis.data.view import View, view


def closed(arms: list[str], declared: tuple[str, ...], sha256: str = "") -> View:
    """The view of a closed trial in which these arms have people."""
    people = pd.DataFrame({"participant_id": [f"p{n}" for n in range(len(arms))], "arm": arms})
    people = people.assign(is_simulated=0, is_preview=0, status="completed")
    study = StudyMeta(state="closed", arms=tuple(map(DeclaredArm, declared)))
    return view(Dataset(Path("made"), Tables({}, {"participants": people}), study, sha256), seed=1)


@pytest.mark.parametrize(
    ("seen", "arms"),
    [
        (["arm_a", "arm_b"], ["arm_a", "arm_b"]),
        (["arm_a", "arm_c"], ["arm_a", "arm_b", "arm_c"]),
        (["arm_b"], ["arm_a", "arm_b"]),
    ],
)
def test_letters_of_an_export_stay_and_a_letter_without_people_is_an_arm_too(seen, arms):
    found = closed(seen, ("plain", "helped", "led"))
    assert list(found.participants["arm"]) == seen
    assert list(found.arm_ids) == arms


def test_names_become_letters_in_an_order_that_changes_with_the_data():
    names = ["plain", "helped", "led"]
    orders = set()
    for salt in ("one", "two", "three", "four", "five"):
        found = closed([*names, "plain"], tuple(names), salt)
        letters = list(found.participants["arm"])
        assert sorted(letters[:3]) == list(found.arm_ids) == ["arm_a", "arm_b", "arm_c"]
        assert letters[3] == letters[0]
        orders.add(tuple(letters))
    assert len(orders) > 1
