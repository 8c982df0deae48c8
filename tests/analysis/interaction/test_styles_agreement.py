import krippendorff
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from analysis.data.dataset import read_table
from analysis.interaction.coders.agreement import (
    alpha_of_sets,
    between_people,
    disagreements,
    kappa,
    masi_distance,
    overall,
    per_label,
)
from analysis.interaction.coders.queries import CodedQuery, consensus, human_codings, queries
from study_app.domain.errors import ProblemsFound
from study_app.domain.interaction.codebook import LABELS, split

ASKED = [CodedQuery(f"t{number}", f"p{number % 5}", f"message {number}") for number in range(40)]
GENERATOR = np.random.default_rng(3)
ONE = {query.turn_id: tuple(label for label in LABELS if GENERATOR.random() < 0.4) for query in ASKED}
OTHER = {turn: labels if GENERATOR.random() < 0.7 else ("explanation",) for turn, labels in ONE.items()}


@pytest.mark.parametrize("label", LABELS)
def test_kappa_per_label_is_that_of_scikit_learn(label):
    row = per_label(ASKED, ONE, OTHER)[label]
    # Reference: sklearn.metrics.cohen_kappa_score
    expected = cohen_kappa_score([label in ONE[q.turn_id] for q in ASKED], [label in OTHER[q.turn_id] for q in ASKED])
    assert row["kappa"] == pytest.approx(expected)
    assert row["ci_low"] <= row["kappa"] <= row["ci_high"]
    assert row["n"] == 40


def test_the_interval_is_drawn_over_people_and_the_same_for_the_same_seed():
    assert per_label(ASKED, ONE, OTHER, seed=4) == per_label(ASKED, ONE, OTHER, seed=4)
    alone = [CodedQuery(query.turn_id, query.turn_id, query.message) for query in ASKED]
    assert per_label(ASKED, ONE, OTHER)["debugging"] != per_label(alone, ONE, OTHER)["debugging"]


def test_kappa_without_variation_is_null_with_a_note():
    same = dict.fromkeys(ONE, ("explanation",))
    row = per_label(ASKED, same, same)["explanation"]
    assert (row["kappa"], row["ci_low"]) == (None, None)
    assert row["note"]
    assert kappa([], []) is None


def test_only_queries_that_both_coded_count():
    assert per_label(ASKED, {"t1": ("debugging",)}, OTHER)["debugging"]["n"] == 1


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("", "", 0),
        ("ab", "ab", 0),
        ("ab", "a", 1 - 1 / 2 * 2 / 3),
        ("ab", "bc", 1 - 1 / 3 * 1 / 3),
        ("a", "b", 1),
        ("a", "", 1),
    ],
)
def test_masi_distance_by_hand(one, other, distance):
    assert masi_distance(tuple(one), tuple(other)) == pytest.approx(distance)
    assert masi_distance(tuple(other), tuple(one)) == pytest.approx(distance)


def test_alpha_over_single_labels_is_nominal_alpha():
    ratings = GENERATOR.integers(0, 4, size=(3, 30))
    codings = [{f"t{unit}": (LABELS[value],) for unit, value in enumerate(row)} for row in ratings]
    del codings[0]["t7"]
    table = ratings.astype(float)
    table[0, 7] = np.nan
    # Reference: krippendorff.alpha(reliability_data, level_of_measurement="nominal")
    assert alpha_of_sets(codings) == pytest.approx(krippendorff.alpha(table, level_of_measurement="nominal"))


def test_alpha_is_1_for_equal_codings_and_null_without_two():
    assert alpha_of_sets([ONE, ONE]) == pytest.approx(1)
    assert alpha_of_sets([ONE]) is None
    assert overall(ASKED, ONE, {})["krippendorff_alpha_masi"] is None


def test_disagreements_name_what_each_coder_said():
    rows = disagreements(ASKED[:2], {"human": {"t0": (), "t1": ("debugging",)}, "rules": {"t0": (), "t1": ()}})
    assert rows == [
        {"turn_id": "t1", "participant_id": "p1", "message": "message 1", "human": "debugging", "rules": ""}
    ]


def ratings(*rows):
    frame = pd.DataFrame(rows, columns=["object", "rater", "value"])
    return frame.assign(rating_id=range(len(frame)), rubric="codes", rated_at="2026-01-01T00:00:00.000Z")


def test_people_agree_by_majority_and_the_adjudicated_word_is_final():
    codings = human_codings(
        {
            "ratings": ratings(
                ("t1", "ann", "explanation;debugging"),
                ("t1", "bob", "explanation"),
                ("t1", "cyd", "debugging"),
                ("t2", "ann", "generation"),
                ("t2", "bob", "explanation"),
                ("t2", "adjudicated", "generation"),
                ("t1", "claude", "appreciation"),
            )
        }
    )
    assert consensus(codings) == {"t2": ("generation",), "t1": ("explanation", "debugging")}


def test_a_rating_that_is_no_label_is_named():
    with pytest.raises(ProblemsFound, match="object t1, rater ann"):
        human_codings({"ratings": ratings(("t1", "ann", "luck"))})


def test_labels_in_a_cell_are_read_in_any_form():
    assert split("generation; explanation") == split('["explanation", "generation"]') == ("explanation", "generation")
    assert split("") == split(None) == split(float("nan")) == ()


def test_the_guard_of_the_export_is_taken_off_a_message(tmp_path):
    file = tmp_path / "turns.csv"
    file.write_text("turn_id,participant_id,message,asked_at\nt1,p1,'=1+1,2026-01-01\nt2,p1,''tis,2026-01-02\n")
    turns = read_table(file, {})
    assert [query.message for query in queries({"turns": turns})] == ["=1+1", "'tis"]


def test_people_are_compared_with_each_other_and_neither_with_programs_nor_with_the_decision():
    asked = [CodedQuery(f"t{n}", f"p{n % 3}", "m") for n in range(6)]
    one = {query.turn_id: ("explanation",) if n % 2 else ("generation",) for n, query in enumerate(asked)}
    other = one | {"t0": ("explanation",)}
    codings = {"eva": one, "finn": other, "rules": {}, "adjudicated": {"t0": ("generation",)}}
    found = between_people(asked, codings)
    assert (found["coders"], list(found["pairs"])) == (["eva", "finn"], ["eva and finn"])
    row = found["pairs"]["eva and finn"]["agreement"]["generation"]
    assert row["kappa"] == kappa([True, False] * 3, [False, False, True, False, True, False])
    assert row["ci_low"] <= row["kappa"] <= row["ci_high"]
    alpha = found["pairs"]["eva and finn"]["overall"]["krippendorff_alpha_masi"]
    assert found["krippendorff_alpha_masi"] == pytest.approx(alpha)
    assert between_people(asked, {"eva": one}) == {}
