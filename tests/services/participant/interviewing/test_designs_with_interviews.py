"""Interviews in every design that may have one: clusters, sessions, sequences; on either database."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from support.trials.commands import study
from support.trials.export_world import table
from support.trials.interview_study import BLOCKS, LONG, Interviewee
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from analysis.themes.table import coded_interviews
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.domain.themes.codebook import read_codebook
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.gold import GoldSample
from study_app.services.researcher.themes.programs import ProgramCoding

PERIOD = '[[stages]]\nid = "between"\nkind = "instructions"\n'


def frame(dataset, name):
    return pd.DataFrame(table(dataset, name))


@pytest.mark.slow
def test_members_of_a_cluster_are_interviewed_and_count_together(tmp_path):
    trial = ThemesTrial(tmp_path, allocation='method = "cluster"\ncluster = "label"\nblock_sizes = [2]')
    for number in range(6):
        trial.hold({"start": SAID["hurry"], "hard": SAID["trust"]}, label=f"Year {number // 2}")
    Codebooks(trial.app.context).freeze("ann", read_codebook(CODEBOOK), "agreed")
    trial.clock.advance(minutes=1)
    ProgramCoding(trial.app.context).by_rules("preview")
    export(trial.app.context, tmp_path / "out", include_preview=True)
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


THIRD = '[[arms]]\nid = "third"\nlabel = "Saffron"\ninstructions = "Go slowly."'


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_of_three_arms_each_share_is_reported_and_who_left_with_their_data_counts_in_none(tmp_path, database_url):
    trial = ThemesTrial(tmp_path, database=database_url, policy=THIRD, allocation=BLOCKS.replace("2", "3"))
    context = trial.app.context
    said = [SAID["hurry"] if number % 2 else SAID[""] for number in range(12)]
    held = [trial.hold({"start": words, "hard": SAID["trust"]}) for words in said]
    Codebooks(context).freeze("ann", read_codebook(CODEBOOK), "agreed")
    trial.clock.advance(minutes=1)
    ProgramCoding(context).by_rules("preview")
    GoldSample(context).draw("ann", "preview", share=1, least=0)
    board = InterviewBoard(context)
    for who in ("ann", "ben"):
        for each, words in zip(held, said, strict=True):
            board.code(who, each, {"start": ["hurry"] if words == SAID["hurry"] else [], "hard": ["trust"]})
    trial.app.session.withdraw(trial.people[held[0]], True)
    trial.app.session.withdraw(trial.people[held[1]], False)
    export(context, tmp_path / "out", include_preview=True)
    trial.close()
    assert [str(each) for each in verify(tmp_path / "out").findings] == []
    study("analyze", tmp_path / "out", "--include-preview", "--out", tmp_path / "results", cwd=tmp_path)
    section = json.loads((tmp_path / "results" / "results.json").read_text())["interviews"]
    assert (section["coded"], section["gold"]["drawn"]) == (11, 11)
    hurry = {arm: n for row in section["shares"] if row["outcome"] == "theme_hurry" for arm, n in row["n"].items()}
    assert set(hurry) == {"plain", "other", "third"}
    assert sum(hurry.values()) == 11
    contrasts = [row["contrast"] for row in section["differences"] if row["outcome"] == "theme_hurry"]
    assert contrasts == [["other", "plain"], ["third", "plain"]] or contrasts == [
        ["third", "plain"],
        ["other", "plain"],
    ]


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
