"""Simulated people are interviewed by the real services, with themes at the stated rates."""

from __future__ import annotations

from random import Random

from support.trials.export_world import table
from support.trials.interview_study import write_interview_study
from support.trials.simulations import run

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.simulation.behaviour.interviews import THEMES, planted, words_on

PEOPLE = 4000


def test_themes_are_planted_at_their_rates_in_each_arm():
    for treated in (False, True):
        found = [planted(f"{number}", treated) for number in range(PEOPLE)]
        for name, theme in THEMES.items():
            share = sum(name in each for each in found) / PEOPLE
            assert abs(share - (theme.treated if treated else theme.control)) < 0.03


def test_every_theme_of_a_person_is_said_in_the_language_of_the_interview():

    for language in ("en", "de"):
        said = " ".join(words_on(topic, 4, frozenset(THEMES), language, Random(1)) for topic in range(4))
        for theme in THEMES.values():
            assert any(sentence in said for sentence in theme.sentences[language])


def test_a_simulated_trial_holds_interviews_that_verify_is_content_with(tmp_path):
    path = write_interview_study(tmp_path, stage='sharing = "share_words"')
    app, _ = run(tmp_path, path, participants=8)
    export(app.context, tmp_path / "out", include_simulated=True)
    app.close()
    held = table(tmp_path / "out", "interviews")
    turns = table(tmp_path / "out", "interview_turns")
    assert len(held) == 8
    assert {row["ended_by"] for row in held} <= {"completed", "stopped"}
    assert sum(int(row["turns"]) for row in held) == len(turns)
    assert all(turn["composing_seconds"] for turn in turns if turn["answer"])
    # The simulated clock runs ahead of this machine's.
    assert {each.name for each in verify(tmp_path / "out").findings} <= {"time_backwards"}
