"""Decisions on an agent's steps by separate requests: one counts, and the log stays the only place of deciding."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_study, agent_walker
from support.trials.export_world import Walker, open_app, settle, table

from study_app.dataset.verification import verify
from study_app.domain.errors import Malformed, NotAllowed, Refused, Superseded
from study_app.services.participant.agent.answering import StepAnswer, check_answer
from study_app.services.participant.agent.history import history_of
from study_app.services.researcher.exporting.export import export


class Requesting(AgentPage):
    """Decides by requests; `choose` makes the answer to a step that waits, or acts itself and returns None."""

    def __init__(self, walker, choose):
        super().__init__(walker, choose)
        self.answers = []

    def _meet(self, frame):
        if frame["type"] != "action" or (not frame["waits"] and frame["tool"] != "edit"):
            return
        self.walker.clock.advance(seconds=2)
        answer = self.choose(frame)
        if answer is not None:
            self.answers.append(self.walker.app.decisions.decide(self.walker.id, answer))


def answer_to(frame, decision, **more):
    return StepAnswer(frame["action_id"], decision, **more)


def program(walker):
    saved = walker.app.session.document(walker.id, walker.task)
    return saved.text if saved else walker.text


def changed(walker, frame, added="# by hand\n"):
    text = program(walker)
    return text[: frame["start"]] + added + frame["input"]["new"] + text[frame["end"] :]


@pytest.fixture
def walker(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock())
    yield walker
    app.close()


@pytest.mark.slow
def test_steps_decided_by_requests_end_in_a_dataset_that_verify_is_content_with(walker, tmp_path):
    choices = iter(["reject", "edited"])

    def choose(frame):
        decision = next(choices, "approve") if frame["tool"] == "edit" else "approve"
        return answer_to(frame, decision, code=changed(walker, frame) if decision == "edited" else None)

    page = Requesting(walker, choose).ask()
    assert [decision for tool, decision in page.decisions if tool == "edit"][:3] == ["reject", "edited", "approve"]
    assert all(answer.counts for answer in page.answers)
    assert page.answers[-1].code == program(walker)
    assert "# by hand" in program(walker)
    walker.open(walker.task)
    walker.submit()
    settle(walker.app)
    export(walker.app.context, tmp_path / "data", include_preview=True)
    assert [str(finding) for finding in verify(tmp_path / "data").findings] == []
    (handed_in, *_) = [row["code"] for row in table(tmp_path / "data", "runs") if row["kind"] == "submission"][-1:]
    assert handed_in == walker.text
    edits = [json.loads(row["payload"]) for row in table(tmp_path / "data", "events") if row["kind"] == "edit"]
    assert {edit["kind"] for edit in edits if "action_id" in edit} == {"agent"}


def test_of_many_requests_at_once_one_decides_and_the_change_is_made_once(walker):
    given = []

    def choose(frame):
        if frame["tool"] != "edit" or given:
            return answer_to(frame, "approve")
        before = program(walker)
        with ThreadPoolExecutor(4) as pool:
            decide = walker.app.decisions.decide
            given.extend(pool.map(lambda _: decide(walker.id, answer_to(frame, "approve")), range(4)))
        assert program(walker) == before[: frame["start"]] + frame["input"]["new"] + before[frame["end"] :]
        return None

    Requesting(walker, choose).ask()
    assert sorted(answer.counts for answer in given) == [False, False, False, True]
    assert {answer.decision for answer in given} == {"approve"}


def test_what_was_decided_stays_decided_and_a_late_request_hears_so(walker):
    heard = []

    def choose(frame):
        if frame["tool"] != "edit" or heard:
            return answer_to(frame, "approve")
        decide = walker.app.decisions.decide
        with pytest.raises(NotAllowed):
            decide(walker.id, StepAnswer("a step of another person", "approve"))
        decide(walker.id, answer_to(frame, "reject", words="not this one"))
        heard.append(decide(walker.id, answer_to(frame, "approve")))
        return None

    before = program(walker)
    Requesting(walker, choose).ask()
    assert (heard[0].decision, heard[0].code, heard[0].counts) == ("reject", before, False)


@pytest.mark.slow
def test_a_request_for_a_program_that_has_changed_meanwhile_applies_nothing(walker):
    heard = []

    def choose(frame):
        if frame["tool"] != "edit" or heard:
            return answer_to(frame, "approve")
        walker.edit(0, 0, "# mine first\n")
        before = program(walker)
        heard.append(walker.app.decisions.decide(walker.id, answer_to(frame, "approve")))
        assert program(walker) == before
        return None

    Requesting(walker, choose).ask()
    assert (heard[0].decision, heard[0].counts) == ("stale", False)


def test_a_question_is_answered_by_a_request_and_the_next_message_brings_the_answer_along(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "none")

    def choose(frame):
        asked = frame["tool"] == "ask"
        return answer_to(frame, "answered" if asked else "approve", words="only timer please" if asked else None)

    page = Requesting(walker, choose).ask("help me")
    assert ("ask", "answered") in page.decisions
    with app.context.registry.begin(write=False) as unit:
        spec = app.help.spec(app.session.where(walker.id))
        [(_, said)] = history_of(unit, spec, unit.turns(walker.id))
    assert "answer: only timer please" in said.splitlines()
    app.close()


@pytest.mark.slow
def test_a_page_that_another_one_has_replaced_decides_nothing(walker):
    refused = []

    def choose(frame):
        if not refused:
            old, seq = walker.page, walker.seq
            walker.open(walker.task)
            with pytest.raises(Superseded) as replaced:
                walker.app.decisions.decide(walker.id, answer_to(frame, "approve", page=old, seq=seq + 1))
            refused.append(replaced)
        return answer_to(frame, "approve")

    Requesting(walker, choose).ask()
    assert refused


@pytest.mark.slow
def test_a_page_decides_with_the_next_number_of_its_events(walker):
    def choose(frame):
        walker.seq += 1
        return answer_to(frame, "approve", page=walker.page, seq=walker.seq)

    page = Requesting(walker, choose).ask()
    assert {decision for tool, decision in page.decisions if tool == "edit"} == {"approve"}
    with walker.app.context.registry.begin(write=False) as unit:
        assert unit.participant(walker.id).page == walker.page


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (StepAnswer("a", "maybe"), "decision"), (StepAnswer("a", "edited"), "code"),
        (StepAnswer("a", "answered"), "words"),
        (StepAnswer("a", "approve", page="p"), "page and seq"),
    ],
)  # fmt: skip
def test_an_answer_that_fits_no_step_is_refused_by_the_name_of_what_is_wrong(answer, said):
    with pytest.raises(Malformed, match=said):
        check_answer(answer)


def test_an_arm_without_an_agent_is_refused_and_the_refusal_is_logged(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock, agent_study(tmp_path))
    walker = next(w for w in (Walker(app, clock).to_tasks() for _ in range(8)) if w.arm == "no_ai")
    walker.begin_tasks()
    with pytest.raises(Refused):
        app.decisions.decide(walker.id, StepAnswer("any", "approve"))
    with app.context.registry.begin(write=False) as unit:
        assert [event.kind for event in unit.events_of(walker.id, {"turn_refused"})] == ["turn_refused"]
    app.close()
