"""What a registration says decides: the plan's own rows, comparisons, clusters and outcomes, and no others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from study_app.bootstrap.contents import open_library
from study_app.domain.study.analysis_plan import Plan
from study_app.services.researcher.registration import preregistration

ROOT = Path(__file__).parents[3]
MOMENT = datetime(2026, 1, 5, tzinfo=UTC)
ROWS = [
    {
        "outcome": "quiz_points",
        "method": "noninferiority",
        "role": "primary",
        "contrast": ["agent", "ai"],
        "options": {"margin": 0.5, "better": "higher"},
    },
    {"outcome": "completion_minutes", "method": "welch_t", "role": "primary"},
]


def sections(example: str, **plan: Any) -> dict[str, str]:
    """Heading -> text of the registration of an example, some keys of its plan replaced."""
    library = open_library(ROOT / "examples" / example / "study.toml")
    study = library.study
    if plan:
        given = study.analysis.model_dump(mode="json", exclude_defaults=True)
        changed = Plan.model_validate(given | plan)
        study = study.model_copy(update={"analysis": changed})
    _, text = preregistration(study, library, "h", "c", "e", "k", MOMENT)
    return dict(part.split("\n\n", 1) for part in text.split("\n## ")[1:])


@pytest.fixture(scope="module")
def margins() -> dict[str, str]:
    graph = {"method": "graphical", "weights": [0.5, 0.25, 0.25]}
    graph |= {"transitions": [[0, 0.5, 0.5], [1, 0, 0], [1, 0, 0]]}
    return sections("agent_three_arms", analyses=ROWS, multiplicity=graph, level=0.9)


def test_rows_of_the_plan_itself_are_registered_with_what_they_compare(margins):
    said = margins["Statistical methods"]
    assert "quiz_points: decision by `noninferiority`, agent against ai (margin 0.5, better higher)" in said
    assert "completion_minutes: decision by `welch_t`, each other arm against no_ai" in said
    assert "re-randomisation" not in said
    assert "graphical, weights 0.5, 0.25, 0.25, transitions 0, 0.5, 0.5; 1, 0, 0; 1, 0, 0" in said


def test_a_trial_with_a_margin_is_no_superiority_trial_only(margins):
    assert "non-inferiority (quiz_points) and superiority (completion_minutes)." in margins["Trial design"]
    assert (
        ", non-inferiority." in sections("agent_three_arms", analyses=ROWS[:1], primary=["quiz_points"])["Trial design"]
    )
    assert ", superiority." in sections("agent_three_arms")["Trial design"]


def test_the_estimand_of_a_direct_comparison_names_its_two_arms(margins):
    first, second = margins["Objectives"].split("- **completion_minutes**")
    assert "Treatments: Assistant that acts against Assistant that answers." in first
    assert "Treatments: Being offered the arm's assistant during the tasks against being offered none." in second


def test_outcomes_are_registered_by_title_and_column(margins):
    assert "- Primary: Quiz score (`quiz_points`), in points" in margins["Outcomes"]
    assert "(`task_completed`), yes or no" in margins["Outcomes"]


def test_one_primary_outcome_is_no_co_primary_one():
    said = sections("classes")["Statistical methods"]
    assert said.startswith("Primary outcome: quiz_points; ")
    assert "whole clusters allocated again" in said


def test_of_clusters_it_is_said_that_each_is_allocated_whole():
    said = sections("classes")
    assert said["Randomisation: sequence generation"].startswith("Generated as clusters arrive")
    assert "allocates the whole cluster" in said["Randomisation: implementation"]
    said = sections("pre_post_retention")
    assert "cluster" not in said["Randomisation: implementation"] + said["Randomisation: sequence generation"]


def test_a_primary_retention_quiz_has_an_estimand_with_its_title():
    outcomes = [
        {"id": name, "kind": "bounded", "unit": "points", "upper_column": name.replace("points", "max")}
        for name in ("quiz_points", "retention_points")
    ]
    said = sections("pre_post_retention", outcomes=outcomes, primary=["quiz_points", "retention_points"])
    assert "Points in the quiz “Two weeks later”, taken alone" in said["Objectives"].split("- **retention_points**")[1]
    assert "- Primary: retention points (`retention_points`), in points" in said["Outcomes"]


def test_a_comparison_within_people_has_no_covariates():
    assert sections("crossover")["Statistical methods"].strip().endswith("Covariates: none.")


def test_an_outcome_of_the_default_plan_that_the_study_does_not_measure_is_not_registered():
    found = sections("classes")["Outcomes"]
    assert "- Primary: Quiz score (`quiz_points`), in points" in found
    assert "Completion time (`completion_minutes`)" in found
    assert "quiz_debugging_points" not in found  # no item of its quiz is on debugging
    assert "quiz_debugging_points" in sections("..")["Outcomes"]  # the shipped study
