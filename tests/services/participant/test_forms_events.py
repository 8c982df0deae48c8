"""Forms by their events alone: what the page sends is what stands in the database, in time, late and erased."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.clock import HandClock
from support.trials.console_trial import NoSandbox, Trial
from support.trials.form_study import write_form_study

from study_app.bootstrap import start
from study_app.dataset.verification import verify
from study_app.domain.errors import Superseded
from study_app.domain.events import ERASED, Batch
from study_app.domain.events.changes import utf16_length
from study_app.domain.quiz.answer_log import replay_forms
from study_app.domain.quiz.answering import Unanswerable, answer_to, fault_of, number_in
from study_app.domain.records import Visit
from study_app.domain.study.study import Question
from study_app.services.participant.answers import ShownPage
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings

OPTIONS = {"role": ["dev", "sci"], "tools": ["vim", "code", "idle"], "ease": list(range(1, 8)), "extra": ["yes", "no"]}
TEXTS = ("words", "remark", "hours")


class FormTrial:
    """The short study with a participant in it."""

    def __init__(self, folder: Path, database: str = "", **study) -> None:
        self.clock = HandClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        file = write_form_study(folder, **study)
        settings = Settings(
            study_file=file, database=database or f"sqlite:///{folder}/study.db", var=folder / "var", environment={}
        )
        self.app = start(settings, clock=self.clock, sandbox=NoSandbox())

    def enter(self, *stages: str) -> str:
        """A new participant at the form, past the stages named."""
        who = self.app.enrol.enter(EntryRequest()).participant.id
        self.app.session.consent(who, agreed=True)
        for stage in stages:
            self.app.answers.submit_survey(who, stage, {})
        self.app.session.where(who)
        return who

    def answers(self, who: str, stage: str) -> dict:
        with self.app.context.registry.begin(write=False) as unit:
            found = {a.item: a.response for a in unit.answers(who) if a.stage == stage}
        return {item: value for item, value in found.items() if value is not None}

    def events(self, who: str) -> list:
        with self.app.context.registry.begin(write=False) as unit:
            return list(unit.events(who))


class Tab:
    """A browser page: numbers its events as the component does."""

    def __init__(self, context: FormTrial, who: str, name: str, stage: str = "about", step: int = 0) -> None:
        self.context, self.who, self.name, self.stage, self.step = context, who, name, stage, step
        self.opened = context.clock.now()
        self.events: list[dict] = []
        context.app.session.take_over(who, name, 500.0)
        self.add("answers_shown")

    def add(self, kind: str, /, **payload) -> None:
        passed = (self.context.clock.now() - self.opened) / timedelta(milliseconds=1)
        event = {"seq": len(self.events) + 1, "kind": kind, "client_time_ms": 0, "mono_ms": 500 + passed}
        self.events.append(event | {"payload": {"stage": self.stage, "step": self.step, **payload}})

    def edit(self, field: str, before: str, start: int, end: int, insert: str, kind: str = "typed") -> str:
        """Replace characters; returns the text after."""
        after = before[:start] + insert + before[end:]
        places = {"from": utf16_length(before[:start]), "to": utf16_length(before[:end]), "insert": insert}
        self.add("answer_edit", field=field, kind=kind, changes=[places], length=utf16_length(after))
        return after

    def send(self, first: int = 1, last: int | None = None) -> int:
        batch = Batch.model_validate({"page": self.name, "events": self.events[first - 1 : last]})
        return self.context.app.session.ingest(self.who, batch).ack

    def screen(self, shown: dict) -> ShownPage:
        return ShownPage(self.name, len(self.events), self.stage, self.step, shown)

    def submit(self, shown: dict):
        return self.context.app.answers.submit(self.who, self.screen(shown))


@pytest.fixture
def context(tmp_path):
    context = FormTrial(tmp_path)
    yield context
    context.app.close()


# -- every kind of field -----------------------------------------------------------------------------------------------

TEXT = st.text(alphabet=st.sampled_from("ab \n\u00e9\u4e2d\U0001f600\u0301"), max_size=6)
EDIT = st.tuples(st.sampled_from(TEXTS), st.integers(0, 30), st.integers(0, 30), TEXT)
CHOICE = st.sampled_from(sorted(OPTIONS)).flatmap(lambda name: st.tuples(st.just(name), _values(name)))
ACT = st.one_of(EDIT, CHOICE, st.sampled_from(["send", "resend", "reload"]))


def _values(name: str):
    one = st.sampled_from(OPTIONS[name])
    return st.lists(one, unique=True) if name == "tools" else st.one_of(st.none(), one)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    context = FormTrial(tmp_path_factory.mktemp("many"))
    yield context
    context.app.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACT, max_size=25))
def test_after_any_edits_of_any_fields_the_draft_is_what_stood_on_the_screen(many, acts):
    who = many.enter()
    tab, shown, sent = Tab(many, who, "page0"), {}, 0
    for number, act in enumerate(acts):
        many.clock.advance(seconds=1)
        if act == "send":
            tab.send(sent + 1)
            sent = len(tab.events)
        elif act == "resend":
            tab.send(max(1, sent - 1))
            sent = len(tab.events)
        elif act == "reload":
            # What the page before could not send goes first, as the next page finds it on the disk.
            tab.send(sent + 1)
            tab, sent = Tab(many, who, f"page{number + 1}"), 0
            for name, value in shown.items():
                tab.add("answer_load", field=name, value=value)
        elif len(act) == 4:
            name, start, end, insert = act
            before = shown.get(name) or ""
            start, end = sorted((min(start, len(before)), min(end, len(before))))
            shown[name] = tab.edit(name, before, start, end, insert)
        else:
            shown[act[0]] = act[1]
            tab.add("answer_set", field=act[0], value=act[1])
    tab.send(sent + 1)
    stood = {name: value for name, value in shown.items() if value not in (None, "", [])}
    kept = many.app.answers.draft(who, "about", 0).values
    assert {name: value for name, value in kept.items() if value not in (None, "", [])} == stood
    replayed = replay_forms(many.events(who))["about", 0]
    assert not replayed.broken
    assert {name: value for name, value in replayed.draft.values.items() if value not in (None, "", [])} == stood
    handed = tab.submit(shown)
    faults = {name for name in stood if _is_wrong(name, stood[name])}
    assert set(handed.faults) == faults
    if not faults:
        assert many.answers(who, "about") == {n: _kept(v) for n, v in stood.items() if str(v).strip()}


def _is_wrong(name: str, value: object) -> bool:
    return name == "hours" and bool(str(value).strip())


def _kept(value: object) -> object:
    if isinstance(value, list):
        return [option for option in OPTIONS["tools"] if option in value]
    return value.strip() if isinstance(value, str) else value


# -- the press ---------------------------------------------------------------------------------------------------------


def test_a_press_hands_in_nothing_that_is_not_stored_or_not_on_the_screen(context):
    who = context.enter()
    tab = Tab(context, who, "page1")
    tab.edit("words", "", 0, 0, "hello")
    assert tab.submit({"words": "hello"}).behind
    tab.send()
    assert tab.submit({"words": "hello, world"}).differs
    assert tab.submit({"words": ""}).differs
    assert tab.submit({"words": "hello", "role": "dev"}).differs
    assert context.answers(who, "about") == {}
    # Fields that were never touched: absent from the log, and empty in one way or another on the screen.
    assert tab.submit({"words": "hello", "role": None, "remark": "", "tools": []}).accepted
    assert context.answers(who, "about") == {"words": "hello"}
    assert tab.submit({"words": "other"}).accepted
    assert context.answers(who, "about") == {"words": "hello"}


def test_a_page_that_another_has_replaced_hands_nothing_in(context):
    who = context.enter()
    first = Tab(context, who, "page1")
    first.edit("words", "", 0, 0, "first")
    first.send()
    second = Tab(context, who, "page2")
    second.add("answer_load", field="words", value="first")
    second.send()
    with pytest.raises(Superseded):
        first.submit({"words": "first"})
    first.edit("words", "first", 5, 5, " and more")
    first.send()
    assert context.app.answers.draft(who, "about", 0).values["words"] == "first"
    assert second.submit({"words": "first"}).accepted


# -- deadlines ---------------------------------------------------------------------------------------------------------


def test_what_was_done_before_a_deadline_and_arrives_up_to_15_minutes_later_counts(context):
    who = context.enter("about")
    tab = Tab(context, who, "page1", "quiz")
    context.clock.advance(minutes=5)
    text = tab.edit("say", "", 0, 0, "in time")
    tab.send()
    sent = len(tab.events)
    context.clock.advance(minutes=14, seconds=59)
    text = tab.edit("say", text, 7, 7, ", in the last second")
    context.clock.advance(seconds=2)
    tab.edit("say", text, 0, 0, "too late: ")
    context.app.session.sweep()
    assert context.answers(who, "quiz") == {"say": "in time"}
    context.clock.advance(minutes=14)
    tab.send(sent + 1)
    assert context.answers(who, "quiz") == {"say": "in time, in the last second"}
    late = [(event.payload.get("changes", [{}])[0].get("insert"), event.stage) for event in context.events(who)
            if event.arrived_late]  # fmt: skip
    assert late == [(", in the last second", "quiz")]
    replayed = replay_forms(context.events(who))["quiz", 0]
    assert replayed.draft.values["say"] == "in time, in the last second"


def test_what_arrives_later_than_15_minutes_or_after_a_gap_does_not_count(context):
    for name, delay, first in (("late", 15, 1), ("gap", 1, 2)):
        who = context.enter("about")
        tab = Tab(context, who, name, "quiz")
        tab.edit("say", "", 0, 0, "words")
        context.clock.advance(minutes=20, seconds=1)
        context.app.session.sweep()
        context.clock.advance(minutes=delay)
        tab.send(first)
        assert context.answers(who, "quiz") == {}
        if first > 1:
            tab.send(1)
            assert context.answers(who, "quiz") == {"say": "words"}


def test_a_press_of_the_participant_is_final_whatever_comes_late(context):
    who = context.enter("about")
    tab = Tab(context, who, "page1", "quiz")
    tab.edit("say", "", 0, 0, "2")
    tab.send()
    assert tab.submit({"say": "2"}).accepted
    tab.edit("say", "2", 1, 1, "2")
    tab.send()
    context.clock.advance(minutes=21)
    context.app.session.sweep()
    assert context.answers(who, "quiz") == {"say": "2"}


def test_a_survey_with_a_limit_hands_in_what_stands_in_its_fields(tmp_path):
    context = FormTrial(tmp_path, about_minutes=5, required=True)
    who = context.enter()
    tab = Tab(context, who, "page1")
    tab.edit("words", "", 0, 0, "half a sen")
    tab.edit("years", "", 0, 0, "999")
    tab.add("answer_set", field="role", value="dev")
    tab.send()
    context.clock.advance(minutes=5, seconds=1)
    context.app.session.sweep()
    assert context.answers(who, "about") == {"words": "half a sen", "role": "dev"}
    assert context.app.session.peek(who).participant.stage == "quiz"
    context.app.close()


def test_late_edits_of_a_task_change_what_the_deadline_submitted(tmp_path):
    trial = Trial(tmp_path)
    who = trial.app.enrol.enter(EntryRequest()).participant.id
    now = trial.clock.now()
    with trial.app.context.registry.begin() as unit:
        unit.touch(who, stage="tasks", arm="ai")
        unit.open_visit(Visit(who, "tasks", now, now + timedelta(minutes=35)))
    trial.app.session.take_over(who, "page1", 0.0)

    def send(seq: int, minute: float, kind: str, **payload) -> None:
        event = {"seq": seq, "kind": kind, "client_time_ms": 0, "mono_ms": minute * 60_000}
        event["payload"] = {"task": "trio_timer", **payload}
        trial.app.session.ingest(who, Batch.model_validate({"page": "page1", "events": [event]}))

    send(1, 0, "load", text="")
    send(2, 1, "edit", changes=[{"from": 0, "to": 0, "insert": "print(1)"}], length=8)
    trial.clock.advance(minutes=36)
    trial.app.session.sweep()
    send(3, 34.9, "edit", changes=[{"from": 8, "to": 8, "insert": "  # more"}], length=16)
    send(4, 35.1, "edit", changes=[{"from": 0, "to": 0, "insert": "too late "}], length=25)
    with trial.app.context.registry.begin(write=False) as unit:
        (submission,) = [run for run in unit.runs(who) if run.kind == "submission"]
    assert submission.code == "print(1)  # more"
    assert submission.ended_by is None
    trial.app.close()


# -- erasure, export and verification ----------------------------------------------------------------------------------


def test_a_field_that_is_empty_when_handed_in_leaves_no_words_and_verify_stays_green(context, tmp_path):
    who = context.enter()
    tab = Tab(context, who, "page1")
    text = tab.edit("remark", "", 0, 0, "my secret name")
    tab.add("paste_attempt", field="remark", text="my secret name", length=14, target="answer")
    tab.edit("remark", text, 0, len(text), "")
    tab.add("answer_set", field="extra", value="yes")
    tab.add("answer_set", field="extra", value=None)
    text = tab.edit("words", "", 0, 0, "stays with all its edits")
    tab.edit("words", text, 0, 6, "")
    tab.send()
    shown = {"words": "with all its edits", "remark": ""}
    assert tab.submit(shown).accepted
    assert context.answers(who, "about") == {"words": "with all its edits"}
    assert "secret" not in str([event.payload for event in context.events(who)])
    assert sum(event.payload == ERASED for event in context.events(who)) == 5
    assert "stays" in str([event.payload for event in context.events(who)])
    # An older tab that still held the words sends them afterwards.
    tab.edit("remark", "", 0, 0, "my secret name")
    tab.send()
    assert "secret" not in str([event.payload for event in context.events(who)])
    export(context.app.context, tmp_path / "out", include_preview=True)
    assert verify(tmp_path / "out").findings == []
    everything = "".join(path.read_text("utf-8", "replace") for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert "secret" not in everything


def test_the_export_shows_pastes_and_time_away_by_answer_and_verify_finds_an_altered_one(context, tmp_path):
    who = context.enter("about")
    tab = Tab(context, who, "page1", "quiz")
    tab.add("visible")
    tab.add("focus")
    tab.add("answer_set", field="pick", value="a")
    context.clock.advance(seconds=10)
    tab.add("hidden")
    context.clock.advance(seconds=25)
    tab.add("visible")
    tab.add("paste_attempt", field="say", text="from elsewhere", length=14, how="paste", **{"from": "outside"},
            target="answer")  # fmt: skip
    tab.edit("say", "", 0, 0, "from elsewhere", kind="paste")
    tab.send()
    assert tab.submit({"pick": "a", "say": "from elsewhere"}).accepted
    export(context.app.context, tmp_path / "out", include_preview=True)
    assert verify(tmp_path / "out").findings == []
    rows = {row["item"]: row for row in _table(tmp_path / "out", "answers")}
    assert (rows["say"]["pasted_chars"], rows["say"]["away_seconds"], rows["say"]["changes"]) == ("14", "25", "1")
    assert (rows["pick"]["pasted_chars"], rows["pick"]["away_seconds"]) == ("0", "0")
    evidence = {row["kind"]: row for row in _table(tmp_path / "out", "compliance")}
    assert (evidence["answer_paste"]["amount"], evidence["answer_paste"]["detail"]) == ("14", "say")
    file = next((tmp_path / "out").glob("data/*-answers_data.csv"))
    file.write_text(file.read_text().replace("from elsewhere", "from nowhere"))
    assert verify(tmp_path / "out").counts["answer_differs_from_events"] == 1


def _table(folder: Path, name: str) -> list[dict[str, str]]:
    with next(folder.glob(f"data/*-{name}_data.csv")).open(newline="") as handle:
        return list(csv.DictReader(handle))


# -- numbers, and what asks nothing ------------------------------------------------------------------------------------

YEARS = {"id": "years", "kind": "number", "prompt": "?", "low": 0, "high": 60}


@pytest.mark.parametrize(
    ("shown", "value"),
    [("7", 7), (" 2,5 ", 2.5), ("2.5", 2.5), (".5", 0.5), ("0,125", 0.125), ("7 years", 7), ("\u22123", -3), ("+4", 4)],
)
def test_a_number_is_read_as_it_is_shown(shown, value):
    assert number_in(shown, "years") == value


@pytest.mark.parametrize(
    ("shown", "code"),
    [("about 7", "no_number"), ("1,000", "two_readings"),
     ("1.000", "two_readings"), ("-1.234.567", "two_readings"), ("1e3", "no_number"), ("inf", "no_number"),
     ("2,5,5", "no_number"), ("999", "range"), ("-3", "range"), ("2,5", "whole"), ("", "required")],
)  # fmt: skip
def test_what_is_no_answer_to_a_number_is_said(shown, code):
    assert fault_of(Question.model_validate(YEARS | {"whole": True}), shown).code == code


def test_a_choice_takes_its_own_values_only():
    asked = Question.model_validate(
        {
            "id": "a",
            "kind": "choice",
            "prompt": "?",
            "options": [{"value": 1, "label": "x"}, {"value": 2, "label": "y"}],
        }
    )
    assert answer_to(asked, 1) == 1
    for strange in (True, "1", 3):
        with pytest.raises(Unanswerable):
            answer_to(asked, strange)


@pytest.mark.parametrize("more", [{"required": True}, {"low": 1}, {"options": [{"value": 1, "label": "x"}]}])
def test_a_heading_that_asks_something_is_refused(more):
    extra = more if more != {"required": True} else {"unit": "x"}
    with pytest.raises(ValidationError, match="asks nothing"):
        Question.model_validate({"id": "a", "kind": "heading", "prompt": "Part"} | extra)
