"""What the preregistration says of sessions, scoring, and the words that models are given."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.trials.form_study import write_form_study
from support.trials.interview_study import write_interview_study

from study_app.bootstrap.contents import open_library
from study_app.services.researcher.registration import preregistration

ROOT = Path(__file__).parents[3]
MOMENT = datetime(2026, 1, 5, tzinfo=UTC)


def registered(study_file: Path) -> tuple[dict[str, Any], str, Any]:
    library = open_library(study_file)
    return *preregistration(library.study, library, "h", "c", "e", "k", MOMENT), library


def section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_the_delay_the_window_and_the_reminders_of_a_session_stand_in_the_timeline(tmp_path):
    text = (ROOT / "examples/pre_post_retention/study.toml").read_text()
    text = re.sub(r"(?m)^delay_days = \S+", "delay_days = 14\nwindow_days = 7\nremind_days = [0, 3]", text)
    for folder in ("quizzes", "tasks", "assistants"):
        if (ROOT / "examples/pre_post_retention" / folder).exists():
            (tmp_path / folder).symlink_to(ROOT / "examples/pre_post_retention" / folder)
    (tmp_path / "study.toml").write_text(text)
    document, markdown, library = registered(tmp_path / "study.toml")
    timeline = section(markdown, "Participant timeline")
    sentence = (
        "Session `later` opens 14 days after the end of the session before and can be begun for 7 days, with reminders "
        "0, 3 days after it opens."
    )
    assert sentence in timeline
    first = next(stage for stage in library.study.stages if stage.session == "later")
    before, after = timeline.split(sentence)
    assert (first.title or first.id) in after.splitlines()[2]
    assert before.count("\n") > 3
    assert {"id": "later", "delay_days": 14.0, "window_days": 7.0} in document["sessions"]


def test_the_rubric_of_each_item_that_people_rate_stands_in_the_text_and_in_no_dataset(tmp_path):
    document, markdown, library = registered(write_form_study(tmp_path))
    outcomes = section(markdown, "Outcomes")
    assert "Bank, version 1, form `a`; 5 items, 7 points; 2 rated by people" in outcomes
    assert "  - Rubric of `fix`, 2 points:\n    - `right` (2 points): It runs." in outcomes
    assert "  - Rubric of `explain`, 2 points:\n    - `right` (2 points): It is right." in outcomes
    [quiz] = document["quizzes"]
    assert quiz["rated"] == ["fix", "explain"]
    assert quiz["key_versions"]["fix"] == library.keys("bank").versions["fix"]
    assert "It runs" not in json.dumps(document)


@pytest.mark.parametrize(
    "file", ["study.toml", "examples/agent_three_arms/study.toml", "examples/numpy_hints/study.toml"]
)
def test_the_prompt_of_each_assistant_that_an_arm_has_stands_word_for_word(file):
    document, markdown, library = registered(ROOT / file)
    arms = section(markdown, "Interventions and comparator")
    wanted = {arm.treatment for arm in library.study.arms_met if arm.treatment}
    assert wanted
    for name in wanted:
        spec = library.specs[name]
        assert f"### Assistant `{name}`, version {spec.version}" in arms
        assert spec.instructions.strip() in arms
        assert f"prompt version `{spec.prompt_version}`" in arms
        # The text lies beside the study; the document lies in every dataset, also while arms are masked.
        assert spec.instructions.strip()[:60] not in json.dumps(document, ensure_ascii=False)
    assert arms.count("```") % 2 == 0


def test_the_plan_of_an_interview_stands_with_its_goals_questions_and_model(tmp_path):
    _, markdown, library = registered(write_interview_study(tmp_path))
    kept = section(markdown, "Data collection and management")
    (file,) = library.plan_files
    plan = library.plan(file)
    assert f"### Interview `{plan.id}`, version {plan.version}" in kept
    assert f"prompt version `{plan.prompt_version}`" in kept
    for topic in plan.topics:
        assert topic.core["en"] in kept
        assert topic.goal in kept
    assert "Queries to an assistant are coded by `rules`" in kept


@pytest.mark.parametrize("place", ["study.toml", "examples/crossover/study.toml", "examples/classes/study.toml"])
def test_no_sentence_of_a_registration_ends_twice(place):
    _, markdown, _ = registered(ROOT / place)
    assert not re.findall(r".{0,60}(?:\.[;.,]|[?!]\.)(?!\.).{0,20}", section(markdown, "Objectives"))
    assert "  - Variable: " in section(markdown, "Objectives")
    assert not re.findall(r".{0,60}(?:[^.]\.[;.]|[?!]\.)(?:\s.{0,20}|$)", markdown)
