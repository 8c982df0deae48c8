"""Effects, noncompliance and dropout, seen in the data."""

from __future__ import annotations

from collections import Counter

import pytest
from support.trials.simulations import run


def quiz_points(app):
    with app.context.registry.begin(write=False) as unit:
        points = Counter()
        for answer in unit.answers():
            if answer.bank:
                points[answer.participant_id] += answer.points or 0.0
        return points


def test_realised_points_are_the_potential_outcomes_of_the_arm(tmp_path):
    # The same people, once without and once with an effect: in the control arm nothing changes, in the other arm the
    # difference is the one that the simulator reports.
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain, _ = run(tmp_path / "a", participants=4)
    shifted, summary = run(tmp_path / "b", participants=4, effect_score=-5.0, effect_minutes=-6.0)
    before, after = quiz_points(plain), quiz_points(shifted)
    with shifted.context.registry.begin(write=False) as unit:
        arms = {person.id: person.arm for person in unit.participants()}
        spent = {visit.participant_id: visit for visit in unit.visits() if visit.stage == "tasks"}
    with plain.context.registry.begin(write=False) as unit:
        spent_before = {visit.participant_id: visit for visit in unit.visits() if visit.stage == "tasks"}
    changes = {person: after[person] - before[person] for person in arms}
    assert all(changes[person] == 0 for person in arms if arms[person] == "no_ai")
    assert all(-5.6 < changes[person] < -2 for person in arms if arms[person] == "ai")
    assert -5.3 < summary.realised["ai"].score < -3
    assert -6.0 <= summary.realised["ai"].minutes < -3

    def minutes(visit):
        return (visit.ended_at - visit.started_at).total_seconds() / 60

    quicker = {person: minutes(spent[person]) - minutes(spent_before[person]) for person in arms}
    assert all(abs(quicker[person]) < 0.01 for person in arms if arms[person] == "no_ai")
    assert all(-6.1 < quicker[person] <= 0 for person in arms if arms[person] == "ai")
    plain.close()
    shifted.close()


@pytest.mark.slow
def test_dropouts_withdraw_or_fall_silent(tmp_path):
    app, _ = run(tmp_path, participants=24, seed=4, noncompliance=0.4, dropout=0.4)
    with app.context.registry.begin(write=False) as unit:
        statuses = Counter(person.status for person in unit.participants())
        kinds = Counter(event.kind for event in unit.events())
    assert statuses["withdrawn"] >= 1
    assert statuses["in_progress"] >= 1
    assert 8 <= statuses["completed"] <= 20
    assert kinds["withdrew"] == statuses["withdrawn"]
    app.close()


@pytest.mark.slow
def test_noncompliance_shows_as_outside_pastes_admitted_and_as_silence(tmp_path):
    app, _ = run(tmp_path, participants=10, seed=4, noncompliance=0.4)
    with app.context.registry.begin(write=False) as unit:
        people = [person for person in unit.participants() if person.status == "completed"]
        asked = {turn.participant_id for turn in unit.turns()}
        outside = {
            event.participant_id
            for event in unit.events()
            if event.kind == "paste_attempt" and event.payload["from"] == "outside" and event.payload["length"] > 200
        }
        said = {a.participant_id: a.response for a in unit.answers() if a.item == "other_ai_used"}
    control = {person.id for person in people if person.arm == "no_ai"}
    treated = {person.id for person in people if person.arm == "ai"}
    admitted = {person for person in control if said[person] in ("tasks", "both")}
    assert admitted
    assert admitted == outside & control
    assert control - admitted
    assert treated - asked
    assert treated & asked
    assert not asked & control
    app.close()
