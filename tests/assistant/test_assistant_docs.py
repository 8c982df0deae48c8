"""docs/reference/assistants.md says what there is."""

from pathlib import Path

import pytest

from study_app.assistant.notebook import Kind
from study_app.domain.assistants.treatments import (
    AssistantLimits,
    AssistantSpec,
    Parameters,
    Price,
    StudyLimits,
    UnavailableKind,
)

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "assistants.md").read_text(encoding="utf-8")
TABLES = {"parameters", "limits", "study_limits", "price"}
KEYS = [
    *AssistantSpec.model_fields,
    *(key for table in (Parameters, AssistantLimits, StudyLimits, Price) for key in table.model_fields),
]


@pytest.mark.parametrize("key", sorted(set(KEYS)))
def test_every_key_of_a_treatment_file_is_explained(key):
    assert (f"`[{key}]`" if key in TABLES else f"`{key}`") in PAGE


@pytest.mark.parametrize("kind", Kind.__args__)
def test_every_kind_of_notes_is_explained(kind):
    assert f"`{kind}.md`" in PAGE


@pytest.mark.parametrize("kind", sorted(set(UnavailableKind.__args__) - {"budget"}))
def test_every_failure_that_a_turn_can_record_is_explained(kind):
    assert f"`{kind}`" in PAGE
