"""As of which moment a database was put back: what it says until a person has settled what went out, and after."""

from __future__ import annotations

from support.trials.console_trial import Trial

from study_app.services.operation.held_acts import HELD, KEY, hold_acts, put_back_as_of


def test_the_moment_of_a_restore_is_known_until_and_after_a_person_settles_what_went_out(tmp_path):
    trial = Trial(tmp_path)
    with trial.app.context.registry.begin() as unit:
        assert put_back_as_of(unit) is None
        hold_acts(unit, "2026-03-02T09:00:00")
        assert put_back_as_of(unit) == "2026-03-02T09:00:00"
        unit.set_meta_value(f"{KEY}:{HELD}:bonus", {"state": "done", "settled": "2026-03-03T10:00:00"})
        assert put_back_as_of(unit) == "2026-03-03T10:00:00"
    trial.close()
