"""A closed wave is locked and analysed while the next one runs; outcomes of the next wait for its own end."""

from __future__ import annotations

import json

import pytest
from support.databases import POSTGRES_IS_SLOW
from support.trials.waves import Waves

from analysis.cli import analyze
from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.services.position import Ended
from study_app.services.researcher.exporting.export import export

DAY = 60 * 24


def analysed(trial: Waves, name: str) -> dict:
    dataset = trial.folder / name
    export(trial.app.context, dataset)
    report = verify(dataset)
    assert report.ok, list(map(str, report.findings))
    out = trial.folder / f"{name}-out"
    analyze(dataset, out)
    return json.loads((out / "results.json").read_text())


def assert_drawn(out, waves: dict) -> None:
    """The report and its tables show who completed, is due for and was lost to each session, by arm."""
    page, flow = (out / "report.html").read_text(), (out / "tables" / "flow.csv").read_text()
    for number, arms in waves.items():
        for arm, counts in arms.items():
            for state in ("completed", "due", "lost"):
                path = f"flow.waves.{number - 1}.arms.{arm}.{state}"
                assert f'data-result="{path}">{counts[state]}<' in page
                assert f"{arm},session {number} {state},,{counts[state]}" in flow


@POSTGRES_IS_SLOW
def test_wave_one_is_analysed_while_wave_two_runs_and_wave_two_once_it_is_over(tmp_path, database_url):
    trial = Waves(tmp_path, database_url)
    app = trial.app
    people = [trial.first_part(f"p{n}", score=n) for n in range(8)]
    half_way = trial.enter("late")
    app.session.consent(half_way, True)
    with pytest.raises(NotAllowed, match="still in a session up to this one"):
        app.lifecycle.close_wave(1, "everybody has been here")
    trial.clock.advance(minutes=2 * DAY)
    app.lifecycle.close_wave(1, "everybody has been here")
    with pytest.raises(NotAllowed, match="closed already"):
        app.lifecycle.close_wave(1, "again")
    assert isinstance(app.session.where(half_way), Ended), "wave 1 is locked"
    app.lifecycle.unseal("the primary analysis of wave 1")
    with pytest.raises(NotAllowed, match="the arms are known"):
        app.lifecycle.exclude(people[0], "too slow", "anna")
    trial.clock.advance(minutes=13 * DAY)
    for who in people[:3]:
        trial.second_part(who)

    first = analysed(trial, "first")
    by_outcome = {row["outcome"]: row for row in first["estimates"] if row["role"] == "primary"}
    assert by_outcome["score_now"]["estimate"] is not None
    assert sum(by_outcome["score_now"]["n"].values()) == 8
    assert by_outcome["score_then"]["estimate"] is None
    assert any("'later' still runs (5 people" in warning for warning in first["warnings"])
    waves = {wave["number"]: wave["arms"] for wave in first["flow"]["waves"]}
    assert sum(arm["completed"] for arm in waves[1].values()) == 8
    assert sum(arm["due"] for arm in waves[2].values()) == 5
    assert_drawn(trial.folder / "first-out", waves)

    trial.clock.advance(minutes=10 * DAY)
    app.lifecycle.close_wave(2, "the window is over")
    second = analysed(trial, "second")
    (row,) = (r for r in second["estimates"] if r["role"] == "primary" and r["outcome"] == "score_then")
    assert sum(row["n"].values()) == 3
    of_losses = {r["method"]: r for r in second["estimates"] if r["outcome"] == "score_then" and r["role"] != "primary"}
    assert of_losses["lee_bounds"]["ci_low"] is not None
    assert "2 are needed" in of_losses["inverse_probability"]["note"], "one person of an arm came back"
    assert "score_now.inverse_probability" not in {r["id"] for r in second["estimates"]}
    waves = {wave["number"]: wave["arms"] for wave in second["flow"]["waves"]}
    assert sum(arm["lost"] for arm in waves[1].values()) == 1
    assert sum(arm["lost"] for arm in waves[2].values()) == 6, "who was lost in the first session is in the second, too"
    app.close()


def test_a_wave_before_the_allocation_or_one_that_is_not_there_is_not_closed(tmp_path):
    trial = Waves(tmp_path)
    with pytest.raises(NotAllowed, match=r"there is no wave 3"):
        trial.app.lifecycle.close_wave(3, "x")
    with pytest.raises(NotAllowed, match="needs a reason"):
        trial.app.lifecycle.close_wave(1, " ")
    trial.app.close()
