"""An attack on the own server meets no real participant, and leaves one preview that counts for nothing."""

from __future__ import annotations

import pytest
from support.trials.console_trial import Trial

from study_app.domain.errors import NotAllowed
from study_app.services.operation.self_attack import MINUTES, REASON, attacker


def everybody(trial: Trial):
    with trial.app.context.registry.begin(write=False) as unit:
        return unit.participants()


def test_a_server_is_attacked_only_while_no_real_participant_is_in_progress(tmp_path):
    trial = Trial(tmp_path, launched=True)
    who = trial.enter()
    trial.to_tasks(who)
    with pytest.raises(NotAllowed, match="1 real participants are in progress"), attacker(trial.app.context):
        pass
    assert [each.id for each in everybody(trial)] == [who]
    trial.finish(who)
    with attacker(trial.app.context) as token:
        # Another attacker is a preview, and in no one's way.
        with attacker(trial.app.context):
            pass
        there = trial.app.session.peek(trial.app.enrol.identify(token).id)
        assert (there.participant.kind, there.stage.kind) == ("preview", "tasks")
        assert (there.deadline_at - trial.app.context.now()).total_seconds() == MINUTES * 60
    real, *attackers = everybody(trial)
    assert (real.id, real.exclusion_reason) == (who, None)
    assert {(each.kind, each.exclusion_reason) for each in attackers} == {("preview", REASON)}
    trial.close()
