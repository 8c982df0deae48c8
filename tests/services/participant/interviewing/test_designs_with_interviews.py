"""Interviews in every design that may have one: clusters, sessions, sequences; on either database."""

from __future__ import annotations

import pandas as pd
import pytest
from support.trials.export_world import table
from support.trials.interview_study import LONG, Interviewee
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from analysis.themes.table import coded_interviews
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.domain.themes.codebook import read_codebook
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.programs import ProgramCoding

PERIOD = '[[stages]]\nid = "between"\nkind = "instructions"\n'


def frame(dataset, name):
    return pd.DataFrame(table(dataset, name))


@pytest.mark.slow
def test_members_of_a_cluster_are_interviewed_and_count_together(tmp_path):
    trial = ThemesTrial(tmp_path, allocation='method = "cluster"\ncluster = "label"\nblock_sizes = [2]')
    for number in range(6):
        trial.hold({"start": SAID["hurry"], "hard": SAID["trust"]}, label=f"Year {number // 2}")
    Codebooks(trial.app.world).freeze("ann", read_codebook(CODEBOOK), "agreed")
    trial.clock.advance(minutes=1)
    ProgramCoding(trial.app.world).by_rules("preview")
    export(trial.app.world, tmp_path / "out", include_preview=True)
    trial.close()
    dataset = tmp_path / "out"
    assert [str(each) for each in verify(dataset).findings] == []
    clusters = {row["participant_id"]: row["cluster_id"] for row in table(dataset, "participants")}
    assert {row["cluster_id"] for row in table(dataset, "interviews")} == set(clusters.values())
    assert len(set(clusters.values())) == 3
    tables = {name: frame(dataset, name) for name in ("interviews", "interview_turns", "ratings", "participants")}
    tables["ratings"]["rated_at"] = pd.to_datetime(tables["ratings"]["rated_at"])
    found = coded_interviews(tables, tables["participants"])
    assert found is not None
    assert found.interviews["cluster"].nunique() == 3
    assert "Year 1" not in "".join(path.read_text() for path in dataset.rglob("*.csv"))


def test_in_a_crossover_the_interview_comes_once_after_all_periods_and_is_of_the_order(tmp_path):
    person = Interviewee(tmp_path, allocation='method = "sequence"\norders = "all"', before=PERIOD)
    person.app.session.continue_(person.id, "between")
    person.say(LONG).say(LONG).say(LONG)
    assert person.asked is None
    person.rate(4)
    dataset = person.export()
    assert [str(each) for each in verify(dataset).findings] == []
    assert len(table(dataset, "interviews")) == 1


def test_in_a_trial_of_several_sessions_the_interview_stands_behind_the_last_outcome(tmp_path):
    later = 'session = "later"'
    sessions = '[[sessions]]\nid = "main"\n[[sessions]]\nid = "later"\ndelay_days = 7\n'
    person = Interviewee(tmp_path, stage=later, policy=sessions, end_session="later")
    assert person.view is None
    person.clock.advance(days=8)
    person.say(LONG).say(LONG).say(LONG)
    assert person.asked is None
    person.rate(2, "the second week")
    dataset = person.export()
    assert [str(each) for each in verify(dataset).findings] == []
    (row,) = table(dataset, "interviews")
    assert (row["ended_by"], row["missing"]) == ("completed", "the second week")


def test_an_interview_of_an_earlier_session_than_an_outcome_is_refused(tmp_path):
    outcome = (
        '[[stages]]\nid = "then"\nkind = "survey"\nsession = "later"\n[[stages.questions]]\nid = "score_then"\n'
        'kind = "number"\nprompt = "How many?"\n'
    )
    sessions = '[[sessions]]\nid = "main"\n[[sessions]]\nid = "later"\ndelay_days = 7\n'
    plan = (
        '[analysis]\nprimary = ["score_then"]\ncovariates = []\nsubgroups = []\n[[analysis.outcomes]]\n'
        'id = "score_then"\nkind = "bounded"\n'
    )
    with pytest.raises(ProblemsFound, match="the interview comes before 'then', which gives an outcome"):
        Interviewee(tmp_path, stage=f"\n{outcome}", policy=sessions + plan, end_session="later")


@pytest.mark.slow
def test_an_interview_is_held_on_postgres_with_any_character_that_a_keyboard_has(tmp_path, postgres_url):
    person = Interviewee(tmp_path, database=postgres_url)
    odd = "A\x00B 😀 \u202e ﷽ " + LONG
    person.say(odd).say(LONG).say(LONG)
    assert person.asked is None
    person.rate(4, odd)
    dataset = person.export()
    assert [str(each) for each in verify(dataset).findings] == []
    assert "😀" in table(dataset, "interview_turns")[0]["answer"]
