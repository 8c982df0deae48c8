"""Guesses of the persona that wrote a reply: blind, of no participant, and in the report beside chance."""

from __future__ import annotations

import pytest
from scipy import stats
from support.clock import HandClock
from support.trials.export_world import open_app
from support.trials.persona_study import VOICES, voiced
from support.trials.quiz_study import results
from support.trials.simulations import run

from analysis.cli import analyze
from analysis.data.load import load
from analysis.pipeline.description.persona_guesses import persona_guesses
from study_app.dataset.verification import verify
from study_app.domain.assistants.persona_checks.guessing import UNSURE, guessable, object_of, persona_of
from study_app.domain.assistants.persona_checks.probing import QUESTIONS
from study_app.domain.errors import NotAllowed
from study_app.services.operation.models.kept import all_replies
from study_app.services.researcher.blind_codes.persona_guesses import PersonaGuesses
from study_app.services.researcher.exporting.export import export


def replies_in(app):
    with app.context.registry.begin(write=False) as unit:
        return guessable(all_replies(unit))


def test_replies_are_guessed_blind_and_counted_beside_chance(tmp_path):
    app = open_app(tmp_path, HandClock(), voiced(tmp_path))
    codes = PersonaGuesses(app.context)
    assert codes.personas() == VOICES
    assert codes.waiting("eva") == []
    app.model_watch.round("probe", "test")
    truth = {object_of(each): persona_of(each.treatment) for each in replies_in(app)}
    waiting = codes.waiting("eva")
    assert len(waiting) == len(truth) == 2 * len(QUESTIONS)
    assert set(vars(waiting[0])) == {"name", "task", "message", "reply"}
    assert [each.name for each in waiting] != [each.name for each in codes.waiting("finn")]
    for number, each in enumerate(waiting):
        codes.guess("eva", each.name, truth[each.name] if number < 20 else VOICES[truth[each.name] == VOICES[0]])
        codes.guess("finn", each.name, UNSURE)
    codes.guess("finn", waiting[0].name, truth[waiting[0].name])
    assert codes.waiting("eva") == []
    assert codes.given() == 4 * len(QUESTIONS)
    for who, name, value in (
        ("rules", waiting[0].name, "warm"), ("eva", "model_reply:9/x/y/1", "warm"), ("eva", waiting[0].name, "cold"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            codes.guess(who, name, value)
    export(app.context, tmp_path / "out", include_preview=True)
    found = persona_guesses(replies_in(app), load(tmp_path / "out").tables["ratings"])
    expected = stats.binomtest(20, 24, 0.5)
    eva, finn = found["coders"]["eva"], found["coders"]["finn"]
    assert (eva["n"], eva["right"], eva["unsure"]) == (24, 20, 0)
    assert eva["p_value"] == pytest.approx(expected.pvalue)
    assert (eva["ci_low"], eva["ci_high"]) == pytest.approx(tuple(expected.proportion_ci(0.95, "wilson")))
    assert (finn["right"], finn["unsure"]) == (1, 23)
    assert found["chance"] == 0.5
    assert {name: row["n"] for name, row in found["personas"].items()} == dict.fromkeys(sorted(VOICES), 24)
    report = verify(tmp_path / "out")
    assert report.ok, report.lines()
    app.close()


@pytest.mark.slow
def test_the_report_says_how_many_were_right(tmp_path):
    app, _ = run(tmp_path, voiced(tmp_path), participants=6)
    app.model_watch.round("probe", "test")
    codes = PersonaGuesses(app.context)
    for each in codes.waiting("eva"):
        codes.guess("eva", each.name, "warm")
    export(app.context, tmp_path / "out", include_simulated=True)
    app.close()
    analyze(tmp_path / "out", tmp_path / "analysed", include_simulated=True)
    assert results(tmp_path / "analysed")["models"]["guesses"]["coders"]["eva"]["right"] == len(QUESTIONS)
    page = (tmp_path / "analysed" / "report.html").read_text(encoding="utf-8")
    assert "Are the personas recognised?" in page
