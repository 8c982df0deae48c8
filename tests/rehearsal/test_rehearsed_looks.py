"""A rehearsal takes the planned looks: its trials stop there, and what they found is adjusted for the looks."""

from __future__ import annotations

import pytest
from support.trials.design_studies import made

from study_app.domain.errors import UserError
from study_app.domain.study.rehearsal.section import Scenario
from study_app.rehearsal import rehearse
from study_app.rehearsal.wording import rehearsal_lines

CLEAR = Scenario(id="clear", effect_score=6.0)


def test_trials_stop_at_the_look_that_decides_and_all_who_come_came_before_it(tmp_path):
    study = made(tmp_path, "looks_spending")
    table = rehearse(study, trials=2, participants=40, extra=CLEAR, workers="1")
    null, clear = table["scenarios"]
    stopped = [share["value"] for share in clear["looks"]["stopped"]]
    people = sum(clear["people"]["statuses"].values())
    assert stopped[0] > 0.5
    assert clear["looks"]["expected_n"]["value"] == sum(clear["people"]["arms"].values()) < 40
    assert people < sum(null["people"]["statuses"].values()) == 40
    assert clear["person_hours"] < null["person_hours"]
    assert clear["any"]["value"] == 1.0
    assert any(line.startswith("  stops at look 1 ") for line in rehearsal_lines(table))


def test_a_level_that_would_play_trials_to_their_end_is_refused(tmp_path):
    with pytest.raises(UserError, match="--level outcomes, which stops trials as planned"):
        rehearse(made(tmp_path, "looks_pocock"), trials=1, level="services", workers="1")


@pytest.mark.slow
def test_looks_keep_the_type_i_error_that_unadjusted_tests_at_each_would_exceed(tmp_path):
    table = rehearse(made(tmp_path, "looks_pocock"), trials=150, participants=40, workers="1")
    [null] = table["scenarios"]
    [row] = null["rows"]
    # 5 % and three standard errors of 150 trials.
    assert null["any"]["value"] <= 0.05 + 3 * (0.05 * 0.95 / 150) ** 0.5
    assert row["rejected"]["value"] <= row["rejected_unadjusted"]["value"]
