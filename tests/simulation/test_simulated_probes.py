"""Simulated people answer probes by the stated trajectories, and `verify` names whatever of it was changed."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from statistics import mean

import pytest
from scipy.stats import ttest_ind
from support.trials.export_world import table
from support.trials.probe_study import probe_study
from support.trials.quiz_study import change_row
from support.trials.simulations import run

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.content.study_file import read_study
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.services.researcher.exporting.export import export

AFFECT = """[rehearsal.affect]
valence = { plain = [8, 8], variant = [2, 2] }
arousal = { plain = [2, 2], variant = [8, 8] }
calm_desperate = { plain = [10, 10], variant = [90, 90] }
"""
PROBES = "[[probes]]\nat_minutes = [1, 2, 3]\n"
HONEST = {"time_backwards", "probe_not_shown"}
"""Simulated days lie ahead of the export; who hands in soon after a minute was not asked."""


def simulated(folder, expected: str, participants: int = 8, seed: int = 7):
    """A dataset of simulated people."""
    app, _ = run(folder, probe_study(folder, PROBES + AFFECT + expected), participants=participants, seed=seed)
    export(app.context, folder / "out", include_simulated=True)
    app.close()
    return folder / "out"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("felt"), "skips = 0\nlapses = 0.1\n")


def by_arm(dataset, column: str) -> dict[str, float]:
    arms = {row["participant_id"]: row["arm"] for row in table(dataset, "participants")}
    rows = [row for row in table(dataset, "probes") if row[column]]
    return {
        arm: mean(float(row[column]) for row in rows if arms[row["participant_id"]] == arm) for arm in arms.values()
    }


def test_answers_follow_the_stated_trajectories_and_outcomes(dataset):
    rows = table(dataset, "probes")
    assert {row["outcome"] for row in rows} <= {"answered", "lapsed"}
    assert {row["minute"] for row in rows} <= {"1", "2", "3"}
    assert by_arm(dataset, "valence")["plain"] > 6 > 4 > by_arm(dataset, "valence")["variant"]
    assert by_arm(dataset, "arousal")["plain"] < 4 < 6 < by_arm(dataset, "arousal")["variant"]
    assert by_arm(dataset, "calm_desperate")["plain"] < 35 < 65 < by_arm(dataset, "calm_desperate")["variant"]
    for row in rows:
        assert (row["valence"] == "") == (row["outcome"] == "lapsed")


def test_the_report_gives_trajectories_and_differences_between_people(dataset):
    section = analyse(load(dataset), include_simulated=True)["affect"]
    made = section["stages"]["tasks"]
    rows = table(dataset, "probes")
    assert sum(row["shown"] for row in made["asked"]) == len(rows)
    first = next(row for row in made["scales"]["valence"]["course"] if (row["arm"], row["minute"]) == ("plain", 1.0))
    arms = {row["participant_id"]: row["arm"] for row in table(dataset, "participants")}
    given = [row for row in rows if row["valence"]]
    at_one = [float(row["valence"]) for row in given if row["minute"] == "1" and arms[row["participant_id"]] == "plain"]
    assert (first["n"], first["mean"]) == (len(at_one), pytest.approx(mean(at_one)))
    levels: dict[str, dict[str, list[float]]] = {"plain": {}, "variant": {}}
    for row in given:
        levels[arms[row["participant_id"]]].setdefault(row["participant_id"], []).append(float(row["valence"]))
    treated, control = ([mean(own) for own in levels[arm].values()] for arm in ("variant", "plain"))
    # scipy.stats.ttest_ind(treated, control, equal_var=False).confidence_interval()
    due = ttest_ind(treated, control, equal_var=False).confidence_interval()
    level = next(row for row in made["scales"]["valence"]["differences"] if row["measure"] == "mean")
    assert level["contrast"] == ["variant", "plain"]
    assert (level["ci_low"], level["ci_high"]) == pytest.approx((due.low, due.high))
    assert level["ci_high"] < 0, "planted: 2 against 8"


def test_time_of_probes_is_no_time_of_the_task(dataset):
    {row["participant_id"]: float(row["paused_seconds"]) for row in table(dataset, "visits") if row["stage"] == "tasks"}
    visits = {row["participant_id"]: row for row in table(dataset, "visits") if row["stage"] == "tasks"}
    for person in table(dataset, "participants"):
        who = person["participant_id"]
        probes = sum(float(row["seconds"]) for row in table(dataset, "probes") if row["participant_id"] == who)
        assert float(visits[who]["paused_seconds"]) == pytest.approx(probes, abs=0.01)
        times = [datetime.fromisoformat(visits[who][name]) for name in ("started_at", "ended_at")]
        spent = (times[1] - times[0]).total_seconds()
        if visits[who]["ended_by"] == "participant":
            assert 60 * float(person["task_minutes"]) == pytest.approx(spent - probes, abs=1.0)
        assert 60 * float(person["active_minutes"]) <= spent - probes + 0.01


def test_verify_finds_nothing_in_what_was_walked(dataset):
    assert {finding.name for finding in verify(dataset).findings} <= HONEST


FORGED = {
    "an answer": ("probes", lambda row: row["valence"] not in ("", "1"), {"valence": "1"}, "probe_differs"),
    "its time": ("probes", lambda row: row["outcome"] == "answered", {"seconds": "0.5"}, "probe_differs"),
    "what became of it": ("probes", lambda row: row["outcome"] == "lapsed", {"outcome": "skipped"}, "probe_differs"),
    "its minute": ("probes", lambda row: True, {"minute": "9"}, "probe_differs"),
    "a visit's time": ("visits", lambda row: row["stage"] == "tasks", {"paused_seconds": "0"}, "derived_differs"),
}


@pytest.mark.parametrize(
    "name", [*list(FORGED)[:1], *(pytest.param(each, marks=pytest.mark.slow) for each in list(FORGED)[1:])]
)
def test_verify_names_a_row_that_was_changed(dataset, tmp_path, name):
    of, which, changed, finding = FORGED[name]
    shutil.copytree(dataset, tmp_path / "forged")
    change_row(tmp_path / "forged", of, which, **changed)
    assert finding in {each.name for each in verify(tmp_path / "forged").findings}


def said(row, **changed) -> dict[str, str]:
    return {"payload": json.dumps(json.loads(row["payload"]) | changed, separators=(",", ":"))}


def earlier(row) -> dict[str, str]:
    at = datetime.fromisoformat(row["server_time"]) - timedelta(seconds=50)
    return {"server_time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


LOGGED = {
    "a minute that is not planned": ("probe_shown", lambda row: said(row, minute=1.5), "probe_unplanned"),
    "a task that is not on": ("probe_shown", lambda row: earlier(row), "probe_early"),
    "more than a minute": ("probe_shown", lambda row: said(row, seconds=600.0), "probe_too_long"),
    "an answer to another minute": ("probe_answered", lambda row: said(row, minute=9.0), "probe_answer_unasked"),
    "another time": ("probe_answered", lambda row: said(row, seconds=59.0), "probe_time_differs"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOGGED)
def test_verify_holds_the_log_against_the_study(dataset, tmp_path, name):
    kind, change, finding = LOGGED[name]
    shutil.copytree(dataset, tmp_path / "forged")
    row = next(row for row in table(dataset, "events") if row["kind"] == kind)
    change_row(tmp_path / "forged", "events", lambda each: each["event_id"] == row["event_id"], **change(row))
    assert finding in {each.name for each in verify(tmp_path / "forged").findings}


def test_expected_affect_of_no_arm_or_off_the_scale_is_refused(tmp_path):
    for number, (text, what) in enumerate(
        {
            "calm_desperate = { absent = [1, 2] }": "'absent' is not an arm; use: plain, variant",
            "valence = [0, 5]": "valence",
            "skips = 0.9\nlapses = 0.2": "more than all probes together",
        }.items()
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(ProblemsFound, match=what):
            read_study(probe_study(folder, f"{PROBES}[rehearsal.affect]\n{text}\n"))


@pytest.mark.slow
def test_skips_and_lapses_have_their_shares(tmp_path):
    out = simulated(tmp_path, "skips = 1.0\nlapses = 0\n")
    assert {row["outcome"] for row in table(out, "probes")} == {"skipped"}
