"""Two people who decide on the same thing at the same moment, over Postgres, where two transactions write at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import timedelta

import pytest
from support.databases import POSTGRES_IS_SLOW
from support.meanwhile import at_stage, while_held
from support.trials.console_trial import Trial
from support.trials.scripted_runs import Scripted
from support.trials.small_study import write_study

from study_app.bootstrap import start
from study_app.domain.errors import NotAllowed
from study_app.domain.events import Batch
from study_app.domain.interaction.codes import REASON_RUBRIC
from study_app.services.attending import acts, pausing
from study_app.services.attending.panel_acts import PanelActs
from study_app.services.participant import session
from study_app.services.participant.deciding import arms
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher import coding, lifecycle
from study_app.services.researcher.blind_codes import tones
from study_app.services.researcher.blind_codes.tones import ToneCodes
from study_app.services.researcher.coding import Codings
from study_app.services.researcher.judging import rating
from study_app.services.researcher.judging.rating import AnswerForRating, RatingQueue
from study_app.settings import Settings


@pytest.fixture
def trial(tmp_path, postgres_url_with_tables):
    made = Trial(tmp_path, database=postgres_url_with_tables)
    made.app.context.sandbox = Scripted()
    yield made
    made.close()


def together(monkeypatch, module, name: str, *acts: Callable[[], object]) -> list[object]:
    """Do both acts in threads that wait for each other once they have read what others gave; one that is kept out is
    not waited for. Returns what came of them, a refusal in the place of a result."""
    meeting, real = threading.Barrier(2), getattr(module, name)

    def met(*given, **named):
        with suppress(threading.BrokenBarrierError):
            meeting.wait(1)
        return real(*given, **named)

    def done(act: Callable[[], object]) -> object:
        try:
            return act()
        except NotAllowed as refusal:
            return refusal

    monkeypatch.setattr(module, name, met)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(done, acts))


def waiting(trial) -> tuple[str, RatingQueue, AnswerForRating]:
    """A participant, and an answer of theirs that a person has to judge."""
    who = trial.enter()
    trial.to_tasks(who)
    trial.finish(who, "an answer that no key knows")
    trial.app.scoring.score_pending()
    ratings = RatingQueue(trial.app.context)
    return who, ratings, ratings.answers_for("eva", "preview")[0]


def test_of_two_ratings_at_once_both_count(trial, monkeypatch):
    _, ratings, view = waiting(trial)
    most = {name: points for name, _, points in view.criteria}
    none = dict.fromkeys(most, 0.0)
    together(
        monkeypatch,
        rating,
        "points_of",
        lambda: ratings.rate("eva", view.object, most),
        lambda: ratings.rate("finn", view.object, none),
    )
    _, person, stage, item = view.object.split(":")
    with trial.app.context.registry.begin(write=False) as unit:
        (found,) = (a.points for a in unit.answers(person) if (a.stage, a.item) == (stage, item))
    assert found == pytest.approx(sum(most.values()) / 2)


def test_a_rating_does_not_outlive_an_answer_that_is_erased_meanwhile(trial, monkeypatch):
    who, ratings, view = waiting(trial)
    real, erasing = rating.points_of, []
    with ThreadPoolExecutor(1) as pool:

        def while_erasing(*given):
            erasing.append(pool.submit(trial.app.session.withdraw, who, True))
            # An erasure that is not kept out is over by then; one that is waits for this rating.
            wait(erasing, timeout=1)
            return real(*given)

        monkeypatch.setattr(rating, "points_of", while_erasing)
        ratings.rate("eva", view.object, dict.fromkeys((name for name, _, _ in view.criteria), 0.0))
        erasing[0].result()
    with trial.app.context.registry.begin(write=False) as unit:
        assert [each for each in unit.ratings() if each.object == view.object] == []
        assert unit.answers(who) == []


def test_a_tone_does_not_outlive_a_text_that_is_erased_meanwhile(trial, monkeypatch):
    who = trial.someone_in("ai")
    turn = trial.ask(who, "trio_timer", "Write task1 for me", "A reply")
    real, erasing = tones.texts_of, []
    with ThreadPoolExecutor(1) as pool:

        def then_erased(*given):
            found = list(real(*given))
            if found and not erasing:
                erasing.append(pool.submit(trial.app.session.withdraw, who, True))
                # An erasure that is not kept out is over by then; one that is waits for this tone.
                wait(erasing, timeout=1)
            return found

        monkeypatch.setattr(tones, "texts_of", then_erased)
        ToneCodes(trial.app.context).code("eva", turn, "calm")
        erasing[0].result()
    with trial.app.context.registry.begin(write=False) as unit:
        assert unit.ratings() == []


def test_of_two_decisions_at_once_one_holds(trial, monkeypatch):
    who = trial.someone_in("ai")
    turn = trial.ask(who, "trio_timer", "Write task1 for me", "A reply")
    codings = Codings(trial.app.context)
    codings.code("eva", turn, ["generation"])
    codings.code("finn", turn, ["explanation"])
    came = together(
        monkeypatch,
        coding,
        "_differ",
        lambda: codings.settle("anna", turn, ["generation"], "asks for code"),
        lambda: codings.settle("gus", turn, ["explanation"], "asks for a way"),
    )
    assert [type(each) for each in came if each is not None] == [NotAllowed]
    with trial.app.context.registry.begin(write=False) as unit:
        assert len([each for each in unit.ratings() if each.rubric == REASON_RUBRIC]) == 1


def test_of_two_exclusions_at_once_the_first_reason_stands(trial, monkeypatch):
    who = trial.enter()
    acts = trial.app.lifecycle
    came = together(
        monkeypatch,
        lifecycle,
        "Excluded",
        lambda: acts.exclude(who, "took part with a colleague", "anna"),
        lambda: acts.exclude(who, "was a friend", "gus"),
    )
    refused = [each for each in came if each is not None]
    assert [type(each) for each in refused] == [NotAllowed]
    with trial.app.context.registry.begin(write=False) as unit:
        assert str(unit.known_participant(who).exclusion_reason) in str(refused[0])


@pytest.mark.parametrize("act", ["end", "erase", "pause"])
@POSTGRES_IS_SLOW
def test_of_two_researchers_who_do_the_same_to_one_person_one_does_it(tmp_path, database_url, monkeypatch, act):
    trial = Trial(tmp_path, database=database_url)
    who = trial.enter()
    trial.to_warmup(who)
    do = getattr(trial.app.acts, act)
    came = together(
        monkeypatch, acts, "add_act", *(lambda by=by: do(who, "as they asked", by) for by in ("eva", "ute"))
    )
    with trial.app.context.registry.begin(write=False) as unit:
        done = [entry for entry in unit.audit() if entry.who in ("eva", "ute")]
    trial.close()
    assert len(done) == 1
    assert [type(each) for each in came].count(NotAllowed) == 1


def test_an_act_at_the_panel_is_not_settled_while_its_answer_comes(trial):
    registry, name = trial.app.context.registry, "bonus:p1:main"
    with registry.begin() as unit:
        unit.set_meta_value(f"panel_act:{name}", {"state": "asked"})
    acts = PanelActs(trial.app.context, None)
    with ThreadPoolExecutor(1) as pool:
        with registry.begin() as unit:
            unit.lock("panel_act")
            unit.set_meta_value(f"panel_act:{name}", {"state": "done"})
            settling = pool.submit(acts.settle, name, done=False, reason="not there yet", who="anna")
            time.sleep(1)
        with pytest.raises(NotAllowed, match="no open act"):
            settling.result()
    with registry.begin(write=False) as unit:
        assert unit.meta_value(f"panel_act:{name}") == {"state": "done"}


def test_a_pause_is_given_back_once_however_many_resume(trial, monkeypatch):
    who = trial.enter()
    trial.to_warmup(who)
    acts = trial.app.acts
    acts.pause(who, "the fire alarm rang", "anna")
    trial.clock.advance(minutes=10)
    came = together(
        monkeypatch,
        pausing,
        "_given_back",
        lambda: acts.resume(who, "all clear", "anna"),
        lambda: acts.resume(who, "they are back", "gus"),
    )
    assert [type(each) for each in came if each is not None] == [NotAllowed]
    with trial.app.context.registry.begin(write=False) as unit:
        events = [event.details for event in unit.events(who) if event.kind == "outage"]
    assert [outage.seconds for outage in events] == [600]


def test_of_two_extensions_of_a_deadline_at_once_both_count(trial):
    who = trial.enter()
    trial.to_warmup(who)
    registry = trial.app.context.registry

    def extended(unit, minutes):
        return unit.extend_visit(who, "warmup", timedelta(minutes=minutes))

    def in_a_transaction():
        with registry.begin() as unit:
            return extended(unit, 10)

    with registry.begin(write=False) as unit:
        before = unit.visit(who, "warmup").deadline_at
    assert while_held(trial, lambda unit: extended(unit, 5), in_a_transaction)
    with registry.begin(write=False) as unit:
        assert unit.visit(who, "warmup").deadline_at == before + timedelta(minutes=15)


def test_a_deadline_of_a_stage_that_ends_meanwhile_is_not_moved(trial):
    who = trial.enter()
    trial.to_warmup(who)
    registry = trial.app.context.registry

    def in_a_transaction():
        with registry.begin() as unit:
            return unit.extend_visit(who, "warmup", timedelta(minutes=10))

    def ended(unit):
        return unit.end_visit(who, "warmup", trial.clock.now(), "participant")

    assert while_held(trial, ended, in_a_transaction) is False


def batch(first: int, *acts: tuple[str, dict]) -> Batch:
    """What the page sends in its first minute."""
    events = [
        {"seq": seq, "kind": kind, "client_time_ms": 0, "mono_ms": 60_000, "payload": payload}
        for seq, (kind, payload) in enumerate(acts, first)
    ]
    return Batch.model_validate({"page": "page", "events": events})


def while_stored(trial, monkeypatch, who: str, sent: Batch) -> None:
    """Let the deadline pass while a batch is being stored: its edits are applied, and nothing is committed yet."""
    with ThreadPoolExecutor(1) as pool:
        real, sweeping = session.interrupt_by_work, []

        def then_overdue(*given):
            trial.clock.advance(minutes=6)
            sweeping.append(pool.submit(trial.app.session.sweep))
            # A sweep that is not kept out is over by then; one that is waits for this batch.
            wait(sweeping, timeout=1.5)
            return real(*given)

        monkeypatch.setattr(session, "interrupt_by_work", then_overdue)
        trial.app.session.ingest(who, sent)
        sweeping[0].result()


def test_a_deadline_hands_in_the_answer_that_was_being_stored_as_it_passed(trial, monkeypatch):
    who = at_stage(trial, "background")
    question = next(each for each in trial.app.study.stage("background").questions if each.kind == "choice")
    form, value = {"stage": "background", "step": 0}, question.options[0].value
    acts = ("answers_shown", form), ("answer_set", form | {"field": question.id, "value": value})
    while_stored(trial, monkeypatch, who, batch(1, *acts))
    with trial.app.context.registry.begin(write=False) as unit:
        assert {each.item: each.response for each in unit.answers(who)}[question.id] == value
        assert unit.known_participant(who).stage != "background"


def test_a_deadline_submits_the_edit_that_was_being_stored_as_it_passed(trial, monkeypatch):
    who = at_stage(trial, "tasks", "no_ai")
    trial.app.session.ingest(who, batch(1, ("load", {"task": "trio_timer", "text": "", "source": "starter"})))
    typed = {"kind": "typed", "changes": [{"from": 0, "to": 0, "insert": "print(1)"}], "length": 8}
    while_stored(trial, monkeypatch, who, batch(2, ("edit", {"task": "trio_timer", **typed})))
    with trial.app.context.registry.begin(write=False) as unit:
        assert [run.code for run in unit.runs(who) if run.kind == "submission"] == ["print(1)"]


def test_a_batch_that_waits_for_a_deadline_changes_what_that_handed_in(trial):
    who = at_stage(trial, "tasks", "no_ai")
    trial.app.session.ingest(who, batch(1, ("load", {"task": "trio_timer", "text": "", "source": "starter"})))
    typed = {"kind": "typed", "changes": [{"from": 0, "to": 0, "insert": "print(1)"}], "length": 8}

    def swept(unit):
        trial.clock.advance(minutes=6)
        trial.app.session.flow.place(unit, unit.known_participant(who))

    while_held(trial, swept, lambda: trial.app.session.ingest(who, batch(2, ("edit", {"task": "trio_timer", **typed}))))
    with trial.app.context.registry.begin(write=False) as unit:
        assert [run.code for run in unit.runs(who) if run.kind == "submission"] == ["print(1)"]


def test_who_leaves_at_the_moment_of_the_allocation_has_the_row_that_the_ledger_has(
    tmp_path, postgres_url_with_tables, monkeypatch
):
    study = write_study(tmp_path)
    app = start(Settings(study, postgres_url_with_tables, tmp_path, environment={}))
    who = app.enrol.enter(EntryRequest()).participant.id
    app.session.where(who)
    real, leaving = arms.allocate, []
    with ThreadPoolExecutor(1) as pool:

        def while_leaving(*given):
            leaving.append(pool.submit(app.session.withdraw, who, False))
            # Who is not kept out has left by then; who is waits for the allocation.
            wait(leaving, timeout=1)
            return real(*given)

        monkeypatch.setattr(arms, "allocate", while_leaving)
        app.session.consent(who, True)
        leaving[0].result()
    with app.context.registry.begin(write=False) as unit:
        person, rows = unit.known_participant(who), unit.allocations("preview")
    app.close()
    assert person.status == "withdrawn"
    assert [row["allocation_index"] for row in rows] == [person.allocation_index]
