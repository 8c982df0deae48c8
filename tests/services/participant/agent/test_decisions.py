"""Steps of an agent: proposed before they are shown, decided once, and never done to another program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker

from study_app.domain.events.log import BrowserEvent
from study_app.domain.events.server import AgentProposed
from study_app.services.participant.agent.actions import actions_of
from study_app.services.participant.agent.answering import StepAnswer
from study_app.services.participant.agent.decisions import decide


@pytest.fixture(scope="module")
def at_task(tmp_path_factory):
    """Return an app and a participant of the agent's arm, at a task, who has not asked."""
    app, walker = agent_walker(tmp_path_factory.mktemp("pages"), HandClock())
    yield app, walker
    app.close()


def saved(walker) -> str:
    return walker.app.session.document(walker.id, walker.task).text


def test_an_agent_that_may_do_everything_ends_with_all_visible_examples_passing(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "none")
    page = AgentPage(walker, lambda _: "approve").ask()
    assert [tool for tool, _ in page.decisions][-1] == "report"
    assert {decision for _, decision in page.decisions} == {"auto"}
    assert walker.text == saved(walker)
    with app.context.registry.begin(write=False) as unit:
        runs = [run for run in unit.runs(walker.id) if run.kind == "agent"]
    assert runs
    assert all(check["passed"] for check in runs[-1].checks)
    assert app.work.last_run(walker.id, walker.task) is None
    app.close()


@pytest.mark.parametrize(
    ("approval", "waits"),
    [
        pytest.param("each", {"edit", "run"}, marks=pytest.mark.slow),
        ("edits", {"edit"}),
        pytest.param("participant", {"edit", "run"}, marks=pytest.mark.slow),
    ],
)
def test_who_decides_is_what_the_treatment_says(tmp_path, approval, waits):
    app, walker = agent_walker(tmp_path, HandClock(), approval)
    page = AgentPage(walker, lambda _: "approve").ask()
    waiting = {frame["tool"] for frame in page.frames if frame["type"] == "action" and frame["waits"]}
    assert waiting == waits
    assert ("edit", "approve") in page.decisions
    app.close()


def test_a_rejected_change_leaves_the_program_as_it_is_and_is_not_proposed_again(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock())
    before = walker.text
    page = AgentPage(walker, lambda frame: "reject" if frame["tool"] == "edit" else "approve").ask()
    assert saved(walker) == before
    changes = [
        frame["input"]["new"] for frame in page.frames if frame.get("tool") == "edit" and frame["type"] == "action"
    ]
    assert len(changes) == len(set(changes)) >= 1
    assert {decision for tool, decision in page.decisions if tool == "edit"} == {"reject"}
    app.close()


@pytest.mark.slow
def test_a_change_that_the_participant_edits_first_is_theirs_to_edit(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "edits")
    page = AgentPage(walker, lambda _: "edited").ask()
    assert {decision for tool, decision in page.decisions if tool == "edit"} == {"edited"}
    assert saved(walker) == walker.text
    assert "# looked at" in saved(walker)
    app.close()


def test_typing_over_an_open_proposal_makes_it_stale_and_it_is_proposed_anew(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "edits")
    choices = iter(["typed"])
    page = AgentPage(walker, lambda _: next(choices, "approve")).ask()
    edits = [decision for tool, decision in page.decisions if tool == "edit"]
    assert edits[0] == "stale"
    assert set(edits[1:]) == {"approve"}
    assert saved(walker) == walker.text
    assert "# mine" in saved(walker)
    app.close()


def test_stop_interrupts_the_open_step_and_nothing_comes_after_it(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock())
    before = walker.text
    page = AgentPage(walker, lambda frame: "stop" if frame["tool"] == "edit" else "approve").ask()
    assert page.decisions[-1] == ("edit", "interrupted")
    assert saved(walker) == before
    (turn,) = app.help.turns(walker.id)
    assert (turn.stopped_by_participant, turn.stop_reason) == (True, "stopped")
    app.close()


def test_one_change_is_applied_once_however_often_a_page_sends_it(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "edits")
    page = AgentPage(walker, lambda _: "approve")

    def twice(frame):
        if frame["type"] == "action" and frame["tool"] == "edit":
            text, seq = walker.text, walker.seq
            page.apply(frame)
            after = walker.text
            walker.text, walker.seq = text, seq
            page.apply(frame)
            assert walker.text == after == saved(walker)

    page._meet = twice
    page.ask()
    edits = [decision for tool, decision in page.decisions if tool == "edit"]
    assert set(edits) == {"approve"}
    app.close()


def test_of_two_tabs_only_the_one_that_owns_the_attempt_decides(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock())
    other = {}

    def choose(frame):
        if not other:
            other["page"], other["seq"] = walker.page, walker.seq
            walker.open(walker.task)
            mine = walker.page, walker.seq
            walker.page, walker.seq = other["page"], other["seq"]
            page.answer(frame, "reject")
            walker.page, walker.seq = mine
        return "approve"

    page = AgentPage(walker, choose)
    page.ask()
    assert "reject" not in {decision for _, decision in page.decisions}
    assert "approve" in {decision for _, decision in page.decisions}
    app.close()


@pytest.mark.parametrize(
    ("tab", "decided"),
    [("of the owner", "answered"), ("opened before", None), ("where no page owns the attempt", "answered")],
)
def test_a_step_is_decided_by_the_page_that_owns_the_attempt_or_by_any_where_none_does(at_task, tab, decided):
    app, walker = at_task
    before = walker.page
    walker.open(walker.task)
    with app.context.registry.begin() as unit:
        said = AgentProposed(action_id=tab, turn_id="t", task=walker.task, step=1, tool="ask", input={"question": "?"},
                             base_sha256="", waits=True)  # fmt: skip
        unit.record(walker.id, "tasks", app.context.now(), said)
        if tab == "where no page owns the attempt":
            unit.touch(walker.id, page=None)
        place = app.session.flow.place(unit, unit.known_participant(walker.id))
        event = BrowserEvent.model_validate({
            "seq": 1, "kind": "agent_answered", "client_time_ms": 0, "mono_ms": 0,
            "payload": {"action_id": tab, "decision": "answered", "words": "yes"},
        })  # fmt: skip
        page = before if tab == "opened before" else walker.page
        assert decide(unit, place, page, [event]) == (decided is not None)
        [step] = actions_of(unit, walker.id, "t")[-1:]
    assert (step.id, step.decided and step.decided.decision) == (tab, decided)


def test_of_two_tabs_that_decide_at_once_one_wins_and_the_change_is_made_once_or_not_at_all(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock())
    before = walker.text
    outcome: list[tuple[str, str]] = []

    def both(frame):
        """The page approves by its edit while another tab takes the attempt over and rejects."""
        if outcome:
            return "stop"  # the next step, which was on its way when Stop was pressed
        if frame["tool"] != "edit":
            return "approve"
        with ThreadPoolExecutor(2) as threads:
            acts = (
                threads.submit(app.decisions.decide, walker.id, StepAnswer(frame["action_id"], "reject")),
                threads.submit(page.apply, frame),
            )
            wait(acts)
        (step,) = [
            each for each in app.help.actions(walker.id)[page.turn_id] if each["action_id"] == frame["action_id"]
        ]
        outcome.append((step["decision"], saved(walker)))
        return "stop"

    page = AgentPage(walker, both)
    page.ask()
    ((decision, text),) = outcome
    assert (decision, text) in (("reject", before), ("approve", walker.text))
    app.close()


def test_a_question_is_answered_in_words_and_the_work_follows_the_answer(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "none")
    page = AgentPage(walker, lambda frame: "only timer please").ask("help me")
    assert ("ask", "answered") in page.decisions
    written = [frame["input"]["new"] for frame in page.frames if frame["type"] == "action" and frame["tool"] == "edit"]
    assert written
    assert all("def timer" in new for new in written)
    app.close()
