"""Each finding on interviews, by a dataset in which that was changed and everything else left as it was."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

import pytest
from support.providers.loopback_interviewer import LoopbackInterviewer, step
from support.trials.interview_study import LONG, Interviewee
from support.trials.quiz_study import change_row, rewrite_table

from study_app.dataset.verification import verify

ASKED = "What did you see first on the page?"
SURVEY = """
[[stages]]
id = "after"
kind = "survey"
title = "How was it?"
[[stages.questions]]
id = "grasp"
kind = "scale"
prompt = "How much of it did you grasp?"
low = 1
high = 7
low_label = "none"
high_label = "all"
"""
OUTCOME = """
[analysis]
primary = ["grasp"]
outcomes = [{ id = "grasp", label = "Grasp", kind = "continuous", unit = "points" }]
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """An interview behind a survey with the outcome, with one probe by a model; nothing is wrong with it."""
    folder = tmp_path_factory.mktemp("held")

    class Surveyed(Interviewee):
        def enter(self, share="yes", language=""):
            who = super().enter(share, language)
            self.clock.advance(minutes=2)
            self.app.answers.submit_survey(who, "after", {"grasp": 7})
            return who

    with LoopbackInterviewer(step("probe", ASKED), step("next")) as interviewer:
        environment = {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": interviewer.url}
        person = Surveyed(folder, environment=environment, before=SURVEY, policy=OUTCOME)
        for words in (LONG, LONG, LONG, "No."):
            person.say(words)
        person.rate(3)
    found = person.export()
    assert [str(each) for each in verify(found).findings] == []
    return found


def later(dataset, column, stage, by):
    """Move a moment of a visit."""

    def change(copy):
        rows = (dataset / "data").glob("*_description-visits_data.csv")
        header, *lines = next(rows).read_text(encoding="utf-8").splitlines()
        names = header.split(",")
        line = next(each for each in lines if f",{stage}," in f",{each},")
        moment = datetime.fromisoformat(line.split(",")[names.index(column)])
        moved = (moment + by).isoformat().replace("+00:00", "Z")
        change_row(copy, "visits", lambda row: row["stage"] == stage, **{column: moved})

    return change


def reworded(old, new):
    """Change a question in the log and in the table, so that the two agree."""

    def change(copy):
        for table in ("events", "interview_turns"):
            rewrite_table(copy, table, lambda text: text.replace(old, new))

    return change


def without(table):
    return lambda copy: next((copy / "data").glob(f"*_description-{table}_data.csv")).unlink()


def cut(table):
    return lambda copy: rewrite_table(copy, table, lambda text: "\r\n".join(text.split("\r\n")[:-2]) + "\r\n")


def cell(table, column, value):
    return lambda copy: change_row(copy, table, lambda _: True, **{column: value})


FORGED = {
    "a survey with the outcome came after": ("interview_before_outcome", ("started_at", "after", timedelta(hours=2))),
    "a question came after the end": ("interview_turn_after_deadline", ("ended_at", "talk", timedelta(minutes=-2))),
    "no interviews": ("interviews_missing", without("interviews")),
    "no turns": ("interviews_missing", without("interviewTurns")),
    "one interview less": ("interview_differs", cut("interviews")),
    "one turn less": ("interview_differs", cut("interview_turns")),
    "quality": ("interview_differs", cell("interviews", "quality_start", "minimal")),
    "words": ("interview_differs", cell("interviews", "words", "999")),
    "rating": ("interview_differs", cell("interviews", "summary_rating", "4")),
    "pasted": ("interview_differs", cell("interview_turns", "pasted_chars", "99")),
    "answer": ("interview_differs", cell("interview_turns", "answer", "Praise be.")),
    "core question": (
        "interview_wording_differs",
        reworded("Which moment was the hardest for you?", "Which moment was the best for you?"),
    ),
    "praise": ("rule_broken_unlogged", reworded(ASKED, "Great! What did you see first?")),
    "two questions": ("rule_broken_unlogged", reworded(ASKED, "What did you see? And what did you do?")),
    "budget": ("rule_broken_unlogged", reworded("closing", "probe")),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_interview_is_found_and_named(dataset, tmp_path, name):
    finding, change = FORGED[name]
    copy = tmp_path / "forged"
    shutil.copytree(dataset, copy)
    (change if callable(change) else later(dataset, *change))(copy)
    found = [each for each in verify(copy).findings if each.name == finding]
    assert found
    assert all(each.finding_class and str(each) for each in found)
