"""Pictures of screens in the languages of the study."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from support.trials.small_study import BLOCKS, TEXT

from study_app.content.study_file import validate_study
from study_app.domain.localisation.study_texts import in_language
from study_app.services.author.screens import Screen
from study_app.ui.console.screen_picture import position_of


@pytest.mark.parametrize(
    ("asked", "language", "said"), [("de", "de", "Los."), ("en", "en", "Go."), ("", "en", "Go."), ("xx", "en", "Go.")]
)
def test_a_picture_is_in_the_language_that_is_asked_for_or_in_the_default(asked, language, said):
    raw = tomllib.loads(TEXT.format(allocation=BLOCKS))
    raw |= {"languages": ["en", "de"], "translations": {"de": {"arms.plain.instructions": "Los."}}}
    study = validate_study(raw, "study.toml")
    world = SimpleNamespace(
        study=study,
        study_hash="0" * 64,
        now=lambda: datetime(2026, 1, 5, tzinfo=UTC),
        localised=lambda study, language, _hash: in_language(study, language),
    )
    screen = Screen("instructions", 0, "stage", "Instructions", True)
    place = position_of(SimpleNamespace(world=world), screen, "plain", asked)
    assert place.participant.language == language
    assert place.study.language == language
    assert place.arm.instructions == said
