"""Simulated people are interviewed by the real services, with themes at the stated rates."""

from __future__ import annotations

from random import Random

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
