"""Stages and questions for some arms, and by conditions over earlier answers: from the file to the masked dataset."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.bootstrap import start
from study_app.content.study_file import validate_study
from study_app.dataset.redaction import Mask
from study_app.domain.branching import arm_only, seen_at
from study_app.domain.conditions import StageCondition
from study_app.domain.errors import ProblemsFound
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.collect_records import included, participant_records, versions_of
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.monitoring import Monitor
from study_app.settings import Settings

STUDY = """
schema = "study/1"
id = "branches"
title = "Branches"
researchers = "Dr A. Example"
ethics = "No. 1"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
instructions = "Go."
[[arms]]
id = "helped"
instructions = "Go on."
[allocation]
method = "permuted_blocks"
block_sizes = [2]
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "about"
kind = "survey"
questions = [
  { id = "years", kind = "number", prompt = "Years?", low = 0, high = 60 },
  { id = "tools", kind = "multiple", prompt = "Tools?", options = [
    { value = "vim", label = "Vim" }, { value = "code", label = "Code" } ] },
]
[[stages]]
id = "old"
kind = "survey"
when = 'years >= 10 and not "vim" in tools'
questions = [{ id = "first_job", kind = "text", prompt = "First job?" }]
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "tutor"
kind = "survey"
arms = ["helped"]
questions = [{ id = "tutor_helped", kind = "scale", prompt = "Did it help?", low = 1, high = 5 }]
[[stages]]
id = "exit"
kind = "survey"
exit = true
questions = [
  { id = "liked", kind = "scale", prompt = "Liked?", low = 1, high = 5 },
  { id = "why_help", kind = "text", prompt = "What helped?", arms = ["helped"], required = false },
  { id = "beginner", kind = "text", prompt = "As a beginner?", when = "years < 10", required = false },
  { id = "praise", kind = "text", prompt = "What was good?", when = "tutor_helped > 3", required = false },
]
[[stages]]
id = "debrief"
kind = "debrief"
"""


def opened(folder: Path):
    (folder / "study.toml").write_text(STUDY)
    return start(Settings(folder / "study.toml", f"sqlite:///{folder}/s.db", folder / "var", environment={}))


class Person:
    def __init__(self, app):
        self.app, self.id = app, app.enrol.enter(EntryRequest()).participant.id
        app.session.consent(self.id, True)

    @property
    def place(self):
        return self.app.session.where(self.id)

    def asked(self):
        return [question.id for question in self.place.stage.asked]

    def answer(self, **given):
        self.app.answers.submit_survey(self.id, self.place.stage.id, given)
        return self

    def way(self, years, tools):
        """Stages met, each with the questions that were asked."""
        met = {}
        while (place := self.place).screen != "end":
            met[place.stage.id] = self.asked()
            if place.stage.kind == "instructions":
                self.app.session.continue_(self.id, place.stage.id)
            else:
                known = {"years": years, "tools": tools, "first_job": "x", "tutor_helped": 5, "liked": 3}
                self.answer(**{name: value for name, value in known.items() if name in self.asked()})
        return met


def test_each_arm_and_each_answer_meets_its_own_stages_and_questions_and_nothing_else(tmp_path):
    app = opened(tmp_path)
    found = {}
    for years, tools in ((20, ["code"]), (20, ["vim"]), (2, ["code"]), (12, ["code"])):
        person = Person(app)
        met = person.way(years, tools)
        arm = person.place.arm.id
        assert ("old" in met) == (years >= 10 and "vim" not in tools)
        assert ("tutor" in met) == (arm == "helped")
        assert ("why_help" in met["exit"]) == ("praise" in met["exit"]) == (arm == "helped")
        assert ("beginner" in met["exit"]) == (years < 10)
        found[person.id] = arm
    assert sorted(found.values()) == ["helped", "helped", "plain", "plain"]
    export(app.context, tmp_path / "out", include_preview=True)
    [file] = (tmp_path / "out" / "data").glob("*participants_data.csv")
    with file.open(newline="") as rows:
        helped = {row["participant_id"]: row["tutor_helped"] for row in csv.DictReader(rows)}
    assert {who: bool(value) for who, value in helped.items()} == {who: arm == "helped" for who, arm in found.items()}


def test_progress_counts_the_parts_that_the_person_will_meet(tmp_path):
    person = Person(opened(tmp_path))
    assert "old" not in [stage.id for stage in person.answer(years=2, tools=["vim"]).place.study.stages]


def test_what_only_an_arm_has_is_withheld_while_arms_are_hidden(tmp_path):
    app = opened(tmp_path)
    stages, questions = arm_only(app.study)
    assert stages == {"tutor"}
    assert questions == {"tutor_helped", "why_help", "praise"}, "also what rests on an answer of one arm"
    assert seen_at(app.study, "tutor") == "exit"
    for years in (2, 20):
        Person(app).way(years, ["vim"])
    with app.context.registry.begin(write=False) as unit:
        people = included(unit, ["preview"])
        records = list(participant_records(app.context, unit, people, versions_of(app.context, unit, people)))
    mask = Mask("launched", {})
    for record in records:
        real = replace(record, participant=replace(record.participant, kind="real"))
        seen = mask.record(real, app.context.now())
        assert "tutor" not in {visit.stage for visit in seen.visits}
        assert not {answer.item for answer in seen.answers} & questions
        row = mask.participant(real, {"tutor_helped": 5, "why_help": "x", "liked": 3})
        assert row == {"liked": 3}


def test_boards_of_a_hidden_trial_name_no_stage_of_one_arm(tmp_path, monkeypatch):
    app = opened(tmp_path)
    people = [Person(app) for _ in range(2)]
    for person in people:
        person.answer(years=2, tools=["vim"])
        app.session.continue_(person.id, "instructions")
    there = {person.place.stage.id for person in people}
    assert there == {"tutor", "exit"}
    monkeypatch.setattr("study_app.services.researcher.monitoring.arms_visible", lambda state, kind: False)
    monitor = Monitor(app.context)
    assert {one.stage for one in monitor.people("preview")} == {"exit"}
    counts = {count.id: count.here for count in monitor.overview("preview").stages}
    assert "tutor" not in counts
    assert counts["exit"] == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("years >= 10", "year >= 10"), "stages.old.when: 'year' is not a question of an earlier stage"),
        (("years >= 10", "liked >= 1"), "stages.old.when: 'liked' is not a question of an earlier stage"),
        (('"vim" in tools', '"emacs" in tools'), "stages.old.when: 'emacs' is not an answer to 'tools'"),
        (('"vim" in tools', 'tools == "vim"'), "stages.old.when: 'tools' is of kind multiple; write VALUE in tools"),
        (("years >= 10", 'years >= "ten"'), "stages.old.when: 'years' is answered by a number"),
        (("years >= 10", "__import__(1)"), "stages.old.when: after '__import__' a comparison was expected"),
        (("years >= 10", "years >= 10 10"), "stages.old.when: '10' was not expected"),
        (('arms = ["helped"]\nq', 'arms = ["gone"]\nq'), "stages.tutor.arms: 'gone' is not an arm of the study"),
        (("when = 'years", 'arms = ["plain"]\nwhen = \'years'), "stages.old.arms: there is no arm before"),
        (('kind = "instructions"', 'kind = "instructions"\nwhen = "years > 1"'), "so everybody comes here"),
        (('kind = "debrief"', 'kind = "debrief"\nwhen = "years > 1"'), "a stage of kind debrief is for everybody"),
    ],
)
def test_each_mistake_in_a_branch_is_named_by_its_key(change, said):
    assert change[0] in STUDY
    with pytest.raises(ProblemsFound) as found:
        validate_study(tomllib.loads(STUDY.replace(*change)), "study.toml")
    assert said in str(found.value)


NUMBERS = st.integers(-9, 9)
TESTS = st.builds(
    "{} {} {}".format, st.sampled_from("abc"), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), NUMBERS
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=4,
)


@given(CONDITIONS, st.fixed_dictionaries({"a": NUMBERS, "b": NUMBERS, "c": NUMBERS}))
def test_a_condition_means_what_it_means_in_python(text, answers):
    condition = StageCondition(text)
    assert condition(answers) == eval(text, {}, dict(answers))


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_a_value_error(text):
    try:
        condition = StageCondition(text)
    except ValueError:
        return
    assert condition({}) in (True, False)


def test_a_question_without_an_answer_makes_each_test_of_it_false():
    for text in ("a == 1", "a != 1", "a in [1, 2]", '"x" in a', "answered(a)"):
        assert not StageCondition(text)({})
    assert StageCondition("answered(a)")({"a": 0})
