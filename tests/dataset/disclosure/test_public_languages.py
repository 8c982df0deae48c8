"""A language that is rare among people is rare in every table that names it."""

from __future__ import annotations

from study_app.dataset.disclosure.coarsening import RARE, recoding_of
from study_app.dataset.disclosure.public import Public
from study_app.dataset.schema import Column
from study_app.dataset.schema.tables import INTERVIEWS


def test_the_language_of_an_interview_is_as_coarse_as_that_of_its_person():
    spoken = recoding_of(Column("language", "text", "", about_person=True), ["en"] * 6 + ["fr"] * 3 + ["de"] * 2, 5)
    rules = Public({"language": spoken}, frozenset(), {}, lambda *_: None, frozenset())
    rules.tables({"interviews": INTERVIEWS})
    shown = [rules.model_row("interviews", {"language": each})["language"] for each in ("en", "fr", "de")]
    assert shown == ["en", RARE, RARE]
