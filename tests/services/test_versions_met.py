"""What is said of people who began before an amendment follows the version of the study that they met."""

from __future__ import annotations

import pytest
from support.trials.quiz_study import keyed_bank, written
from support.trials.waves import Waves

from study_app.bootstrap import start
from study_app.ports import Stay
from study_app.services.attending.paying import payments
from study_app.services.levelling.boards import levelled_stays
from study_app.settings import Settings
from study_app.simulation import open_for_simulation, simulate

RULE = '[recruitment]\nentry = "open"\ntarget_n = 10\nbonus = [{ per = "quiz_points", amount = 0.5 }]\n'


def paid_by(folder, rule: str) -> dict[str, float | None]:
    written(folder, bank="keyed", before=rule)
    settings = Settings(folder / "study.toml", f"sqlite:///{folder}/study.db", folder, environment={})
    app = start(settings, changed_ok=True)
    try:
        with app.context.registry.begin(write=False) as unit:
            return {each.participant_id + each.session: each.bonus for each in payments(app.context, unit, "simulated")}
    finally:
        app.close()


@pytest.mark.parametrize(
    "later", ["", pytest.param(RULE.replace("quiz_points", "sessions_completed"), marks=pytest.mark.slow)]
)
def test_an_amended_bonus_rule_leaves_earlier_people_what_they_were_promised(tmp_path, later):
    keyed_bank(tmp_path)
    written(tmp_path, bank="keyed", before=RULE)
    settings = Settings(tmp_path / "study.toml", f"sqlite:///{tmp_path}/study.db", tmp_path, environment={})
    app = open_for_simulation(settings, 5)
    simulate(app, participants=3, seed=5)
    app.scoring.score_pending()
    app.close()
    before = paid_by(tmp_path, RULE)
    assert any(before.values())
    assert paid_by(tmp_path, later) == before


@pytest.mark.slow
def test_stays_are_levelled_at_the_limit_of_the_version_that_each_person_met(tmp_path):
    trial = Waves(tmp_path, launched=False)
    trial.app.close()
    study = trial.app.study

    def limited(minutes: float):
        stages = tuple(
            stage.model_copy(update={"minutes": minutes, "arms": ("plain",)}) if stage.id == "now" else stage
            for stage in study.stages
        )
        return study.model_copy(update={"stages": stages})

    studies = {"earlier": limited(10), "later": limited(20)}
    stays = [Stay("now", 60.0 * minutes, name) for name in studies for minutes in (5, 15, 25)]
    levelled = levelled_stays(studies, [], {}, stays)
    assert [stay.seconds / 60 for stay in levelled] == [5, 10, 10, 5, 15, 20]
