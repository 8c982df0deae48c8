"""A score over coarsened questions tells no more than they do."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from support.trials.quiz_study import study_text

from study_app.content.study_file import validate_study
from study_app.dataset.disclosure.coarsening import RARE, recoding_of
from study_app.dataset.disclosure.public import Public
from study_app.dataset.disclosure.scores import published_scores, sums_of
from study_app.dataset.measures.record import ParticipantRecord, questions
from study_app.dataset.schema import participants_table
from study_app.domain.records import Answer, Participant

KNOWS = """
[[stages]]
id = "knows"
kind = "survey"
[[stages.questions]]
id = "lock"
kind = "choice"
prompt = "?"
options = [{ value = "a", label = "A" }, { value = "b", label = "B" }, { value = "c", label = "C" }]
correct = "a"
[[stages.questions]]
id = "race"
kind = "choice"
prompt = "?"
options = [{ value = "a", label = "A" }, { value = "b", label = "B" }, { value = "c", label = "C" }]
correct = "b"
[[stages.scores]]
id = "knowledge"
of = ["lock", "race"]
"""
STUDY = validate_study(tomllib.loads(study_text(before=KNOWS)), "study.toml")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = participants_table([STUDY], {})


def record(number: int, lock: str, race: str) -> ParticipantRecord:
    who = f"p{number}"
    person = Participant(who, "real", "h", "completed", "end", 0, NOW, NOW)
    answers = [
        Answer(participant_id=who, stage="knows", bank="", form="", item=item, response=value, saved_at=NOW)
        for item, value in (("lock", lock), ("race", race))
    ]
    return ParticipantRecord(person, "completed", STUDY, (), (), (), answers, (), {})


def rules_of(records, k=3) -> Public:
    columns = [column for column in TABLE.columns if column.name in ("lock", "race")]
    rows = [questions(each) for each in records]
    recodings = {column.name: recoding_of(column, [row[column.name] for row in rows], k) for column in columns}
    return Public(recodings, frozenset(), {}, lambda *_: None, frozenset(), sums=sums_of([STUDY]))


def test_a_score_is_empty_where_a_rare_answer_may_be_right_or_wrong_and_the_codebook_says_so():
    # Of the lock, a (right) is rare and b (wrong) goes along with it; nothing of the race is rare.
    given_answers = ["cb"] * 4 + ["ab"] + ["bb"] * 2
    records = [record(number, *pair) for number, pair in enumerate(given_answers)]
    rules = rules_of(records)
    described = rules.tables({"participants": TABLE})["participants"]
    shown = [
        next(rules.rows(each, [("participants", {"participant_id": each.participant.id} | questions(each))]))[1]
        for each in records
    ]
    assert [row["lock"] for row in shown] == ["c"] * 4 + [RARE] * 3
    assert [row["knowledge"] for row in shown] == [1] * 4 + [None] * 3
    assert "empty where lock does not say whether it is right" in described.column("knowledge").caption


def test_a_score_stays_where_all_that_is_rare_is_wrong():
    records = [record(number, *pair) for number, pair in enumerate(["ab"] * 4 + ["bb", "cb"])]
    rules = rules_of(records, k=2)
    assert rules.recodings["lock"].coarse
    assert [published_scores(each, rules.recodings)["knowledge"] for each in records] == [2] * 4 + [1, 1]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=25), st.integers(2, 6))
def test_people_with_the_same_published_answers_have_the_same_published_score(answers, k):
    records = [record(number, *pair) for number, pair in enumerate(answers)]
    rules = rules_of(records, k)
    seen: dict[object, object] = {}
    for each in records:
        row = questions(each)
        shown = tuple(rules.recodings[name].of(row[name]) for name in ("lock", "race"))
        points = published_scores(each, rules.recodings)["knowledge"]
        assert seen.setdefault(shown, points) == points
        assert points in (None, row["knowledge"])
