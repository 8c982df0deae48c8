"""Nothing the console shows before unsealing depends on the arms."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.console_trial import Trial, busy, counted_ids

from study_app.domain.records import Participant
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.monitoring import Monitor, arms_visible, masked


@given(st.sampled_from(["draft", "launched", "closed", "unsealed"]), st.sampled_from(["real", "preview", "simulated"]))
def test_only_real_people_of_a_sealed_trial_have_hidden_arms(state, kind):
    assert arms_visible(state, kind) == (kind != "real" or state in ("draft", "unsealed"))


@pytest.mark.parametrize("state", ["launched", "closed"])
def test_a_masked_participant_is_the_same_whatever_the_arm(clock, state):
    one = Participant("p", "real", "h", "in_progress", "tasks", 0, clock.at, clock.at, arm="ai", stratum="x",
                      allocation_index=3, allocated_at=clock.at)  # fmt: skip
    other = replace(one, arm="no_ai", stratum="y", allocation_index=9)
    assert masked(one, state) == masked(other, state)
    assert masked(one, "unsealed") == one


def everything_shown(trial: Trial) -> dict:
    """All that the monitor tells of real people, without the study's own seed commitment."""
    monitor = Monitor(trial.app.context)
    overview = asdict(monitor.overview("real")) | {"commitment": "", "database": ""}
    audit = [(e.at, e.who, e.what, e.why) for e in monitor.audit()]
    return {"overview": overview, "people": monitor.people("real"), "links": monitor.links(), "audit": audit,
            "ungraded": monitor.ungraded(), "outages": monitor.outages(), "unblinded": monitor.unblinded()}  # fmt: skip


def everything_exported(trial: Trial, folder: Path) -> dict:
    """Every file of a launched export; of the manifest what is neither the seed's commitment nor a hash over it."""
    export(trial.app.context, folder, identified=True)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    own = {"manifest.json", "materials/prereg.json"}
    facts = json.loads(files["manifest.json"].read_text())
    # What the comparison with the chain found counts nothing: in a sound database it is the same for every trial.
    assert set(facts["chain"]) == {"join", "database", "signed"}
    sound = facts["chain"]["database"]
    for name in ("commitment", "ledgers", "signature", "audit", "other_files", "chain"):
        del facts[name]
    rest = {name: path.read_bytes() for name, path in files.items() if name not in own}
    return rest | {"facts": facts, "database": sound}


def walked(folder) -> tuple[dict, list]:
    """The same behaviour in a trial with its own seed; those with an assistant use it, in the same time."""
    folder.mkdir()
    trial = Trial(folder, launched=True, ids=counted_ids())
    try:
        people = [trial.enter(f"person {number}") for number in range(8)]
        for who in people:
            trial.to_tasks(who)
            if trial.arm(who) == "ai":
                at = trial.clock.at
                trial.app.context.fresh_id, ids = (lambda who=who: f"turn-{who}"), trial.app.context.fresh_id
                trial.ask(who, "trio_timer", "How do I start a task?", "With a nursery.")
                trial.app.context.fresh_id = ids
                trial.clock.at = at
        shown = everything_shown(trial) | everything_exported(trial, folder / "dataset")
        return shown, [trial.arm(who) for who in people]
    finally:
        trial.close()


def test_trials_that_differ_in_their_arms_only_look_the_same(tmp_path):
    """To the byte, so that no guesser, convergence or other, gains anything from all that there is to see."""
    shown, arms = walked(tmp_path / "first")
    for number in range(6):
        other, others = walked(tmp_path / f"other{number}")
        assert other == shown
        if others != arms:
            return
    pytest.fail("six sealed seeds gave the same eight arms")


def test_after_unsealing_the_arms_are_there(tmp_path):
    trial = Trial(tmp_path, launched=True)
    who = trial.enter()
    trial.to_tasks(who)
    trial.finish(who)
    trial.app.lifecycle.close("enough")
    assert Monitor(trial.app.context).people("real")[0].arm is None
    trial.app.lifecycle.unseal("done")
    assert Monitor(trial.app.context).people("real")[0].arm == trial.arm(who)
    trial.close()


def test_the_overview_counts_people_by_stage_and_status(tmp_path):
    trial = Trial(tmp_path, launched=True)
    busy(trial, 6)
    view = Monitor(trial.app.context).overview("real")
    stages = {stage.id: stage for stage in view.stages}
    assert (view.enrolled, view.allocated) == (6, 3)
    assert view.statuses == {"in_progress": 4, "completed": 1, "declined": 1} or sum(view.statuses.values()) == 6
    assert stages["consent"].reached == 6
    assert stages["warmup"].here == 1
    assert stages["warmup"].ended == 3
    trial.close()


def test_a_first_look_is_recorded_once_and_lists_who_looked(tmp_path):
    trial = Trial(tmp_path, launched=True)
    monitor = Monitor(trial.app.context)
    for _ in range(2):
        monitor.record_unblinding("anna", "replay p1", "real")
    monitor.record_unblinding("ben", "replay p2", "preview")
    assert [(who, acts) for who, _, acts in monitor.unblinded()] == [("anna", 1)]
    assert monitor.is_unblinded("anna", "replay p1")
    assert not monitor.is_unblinded("ben", "replay p1")
    trial.close()
