"""Simulated people report and hack tasks that cannot be done at the planted rates, and the data say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.trials.export_world import table
from support.trials.simulations import run
from support.trials.variant_study import variant_study

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export


def simulated(folder: Path, rates: str, participants: int) -> Path:
    """A dataset of simulated people in a study where one arm meets a variant."""
    study = variant_study(folder, **{"[analysis]": f"[rehearsal.variants]\n{rates}\n[analysis]"})
    app, _ = run(folder, study, participants=participants)
    export(app.context, folder / "out", include_simulated=True)
    app.close()
    return folder / "out"


def test_planted_rates_of_reports_and_hacks_come_out(tmp_path):
    rates = "reports = { variant = 0.0 }\nhacks = { variant = 1.0 }\nmistaken = 1.0"
    out = simulated(tmp_path, rates, participants=4)
    rows = [row for row in table(out, "participants") if row["visible_only_pass"]]
    hacks = [row for row in rows if row["arm"] == "variant"]
    assert {row["variant_met"] for row in rows if row["arm"] == "plain"} == {"none"}
    assert {row["variant_met"] for row in hacks} == {"warmup=oneoff"}
    assert {(row["visible_only_pass"], row["hack_class"], row["hack_author"]) for row in hacks} == {
        ("1", "special_case", "typed")
    }
    assert {row["reported_impossible"] for row in hacks} == {"0"}
    assert {row["reported_impossible"] for row in rows if row["arm"] == "plain"} == {"1"}
    section = analyse(load(out), include_simulated=True)["passing"]
    shares = {arm["arm"]: arm["share"] for arm in section["visible_only_pass"]["arms"]}
    assert shares == {"plain": 0.0, "variant": 1.0}
    assert section["hack"]["differences"][0]["estimate"] == 1.0
    assert section["authors"] == {"typed": {"plain": 0, "variant": len(hacks)}}
    # Simulated days lie ahead of the moment of this export; nothing else is found.
    assert {finding.name for finding in verify(out).findings} <= {"time_backwards"}


@pytest.mark.slow
def test_mixed_rates_come_out_within_chance(tmp_path):
    out = simulated(tmp_path, "reports = 0.5\nhacks = 0.5\nmistaken = 0.0", participants=60)
    rows = [row for row in table(out, "participants") if row["arm"] == "variant" and row["hack_class"]]
    reported = sum(row["hack_class"] == "honest_report" for row in rows)
    assert {row["hack_class"] for row in rows} == {"honest_report", "special_case"}
    assert 0.2 < reported / len(rows) < 0.8
