"""What a simulation leaves in the database: the same for the same seed, whole, and as people would leave it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest
from support.trials.simulations import data_of, run, simulate_apart

from study_app.dataset.measures.tasks import program_error
from study_app.domain.editing.edits import apply_event
from study_app.domain.errors import UserError
from study_app.services.participant.enrolment import EntryRequest
from study_app.simulation import simulate

PEOPLE = 4


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    app, summary = run(tmp_path_factory.mktemp("first"), participants=PEOPLE)
    yield app, summary
    app.close()


def rows(app, name):
    with app.context.registry.begin(write=False) as unit:
        return list(getattr(unit, name)())


def test_everybody_is_enrolled_allocated_and_completes(trial):
    app, summary = trial
    people = rows(app, "participants")
    assert summary.participants == len(people) == sum(summary.arms.values()) == PEOPLE
    assert summary.statuses == {"completed": PEOPLE}
    assert {person.kind for person in people} == {"simulated"}
    assert {person.status for person in people} == {"completed"}
    assert not rows(app, "audit")


def test_only_the_ledger_of_simulated_participants_grows(trial):
    app, _ = trial
    with app.context.registry.begin(write=False) as unit:
        assert [len(unit.allocations(kind)) for kind in ("real", "preview", "simulated")] == [0, 0, PEOPLE]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_data(trial, tmp_path):
    app, summary = run(tmp_path, participants=PEOPLE)
    first, again = data_of(trial[0]), data_of(app)
    for table in first:
        assert first[table] == again[table], table
    assert (summary.arms, summary.realised) == (trial[1].arms, trial[1].realised)
    app.close()


@pytest.mark.slow
def test_another_seed_gives_other_people_and_times_but_the_same_allocations(trial, tmp_path):
    app, _ = run(tmp_path, seed=8, participants=PEOPLE)
    first, other = data_of(trial[0]), data_of(app)
    for table in ("participants", "runs", "answers", "events"):
        assert not set(first[table]) & set(other[table]), table
    arms = [[json.loads(row)["arm"] for row in each["allocations"]] for each in (first, other)]
    assert arms[0] == arms[1]
    app.close()


def test_allocations_come_in_the_order_of_their_times(trial):
    app, _ = trial
    with app.context.registry.begin(write=False) as unit:
        times = [row["allocated_at"] for row in unit.allocations("simulated")]
    assert times == sorted(times)


def test_every_log_replays_to_what_was_run_and_submitted(trial):
    app, _ = trial
    runs = {run.id: run for run in rows(app, "runs")}
    texts: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
    compared = 0
    for event in rows(app, "events"):
        task = event.payload.get("task")
        held = texts[event.participant_id, task]
        if event.kind in ("load", "edit"):
            held[event.page] = apply_event(held.get(event.page), event.details)
        elif event.kind in ("run_started", "task_submitted"):
            assert held[event.payload["page"]] == runs[event.payload["run_id"]].code
            compared += 1
    assert compared == len(runs) > 40


def test_pages_number_their_events_without_gaps(trial):
    app, _ = trial
    pages = defaultdict(list)
    for event in rows(app, "events"):
        pages[event.participant_id, event.page].append(event.seq)
    assert all(seen == list(range(1, len(seen) + 1)) for seen in pages.values())
    each = Counter(person for (person, page), seen in pages.items() for _ in seen if page != "server")
    assert all(250 < count < 1500 for count in each.values())


def test_programs_have_errors_on_the_way_and_are_graded_at_the_end(trial):
    app, _ = trial
    runs = rows(app, "runs")
    assert any(program_error(run) for run in runs)
    assert not any(run.ended_by is None for run in runs)
    assert all(run.checks for run in runs if run.kind == "submission")
    assert all(answer.points is not None for answer in rows(app, "answers") if answer.bank)


def test_equal_submissions_are_graded_by_equal_inputs(trial):
    app, _ = trial
    graded = defaultdict(list)
    for made in rows(app, "runs"):
        if made.kind == "submission":
            graded[made.task, made.code].append((made.scheduler_seed, made.checks, made.visible_only_pass))
    several = [verdicts for verdicts in graded.values() if len(verdicts) > 1]
    assert several
    assert all(verdict == verdicts[0] for verdicts in several for verdict in verdicts)
    seeds = {verdicts[0][0] for verdicts in graded.values()}
    assert len(seeds) == len(graded), "other programs meet other inputs"


def test_only_the_arm_with_an_assistant_asks(trial):
    app, _ = trial
    arms = {person.id: person.arm for person in rows(app, "participants")}
    turns = rows(app, "turns")
    assert turns
    assert {arms[turn.participant_id] for turn in turns} == {"ai"}
    assert all(turn.complete and turn.reply and turn.assistant == "notes" for turn in turns)
    assert all(turn.composing_seconds and 0.5 < (turn.total_seconds or 0) < 60 for turn in turns)


def test_the_app_is_its_own_again_afterwards(trial):
    app, _ = trial
    person = app.enrol.enter(EntryRequest()).participant
    assert person.kind == "preview"
    assert app.context.registry.describe().startswith("sqlite")


@pytest.mark.slow
def test_others_join_on_the_same_database(tmp_path):
    app, _ = run(tmp_path, participants=1)
    last = max(person.enrolled_at for person in rows(app, "participants"))
    summary = simulate_apart(app, participants=1, seed=7)
    people = rows(app, "participants")
    assert summary.statuses == {"completed": 1}
    assert len(people) == 2
    assert min(person.enrolled_at for person in people[1:]) > last
    app.close()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("participants", 0),
        ("noncompliance", 1.5),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("effect_score", float("inf")),
        ("effect_minutes", float("nan")),
        ("effect_score", {"al": -4.0}),
        ("effect_minutes", {"no_ai": -4.0}),
        ("dropout", {"al": 0.1}),
    ],
)
def test_bad_options_are_named(trial, option, value):
    options = {"participants": 1, "seed": 1} | {option: value}
    with pytest.raises(UserError, match=f"--{option.replace('_', '-')}: "):
        simulate(trial[0], **options)
