"""The hash of a study outlives upgrades of study-app: otherwise a launched trial would not start after one."""

from __future__ import annotations

import pytest

from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.study import ADDED_KEYS, Study, protocol_hash

STUDY = {
    "schema": "study/1",
    "id": "upgraded",
    "title": "A study from before the upgrade",
    "arms": [{"id": "ai", "label": "AI", "assistant": "full"}, {"id": "none", "label": "No AI", "control": True}],
    "allocation": {"method": "permuted_blocks"},
    "assistants": {"full": {"file": "assistants/full"}},
    "stages": [
        {"id": "consent", "kind": "consent"},
        {
            "id": "about",
            "kind": "survey",
            "questions": [{"id": "years", "kind": "scale", "prompt": "?", "low": 1, "high": 5}],
        },
        {"id": "tasks", "kind": "tasks", "assistant": True, "minutes": 35, "packs": ["tasks/one"]},
        {"id": "quiz", "kind": "quiz", "bank": "quizzes/one", "minutes": 20},
        {"id": "debrief", "kind": "debrief"},
    ],
}
HASH = "9052b06f7f72ddf0bfe8ac8cfe3072ce3136a5952dd31c9ae47c25a4b2c8b83f"
"""As the first version that can be upgraded computed it. Where this differs because a key was added, the key belongs in
`ADDED_KEYS`; it never changes otherwise."""


def test_a_study_that_uses_no_newer_key_has_the_hash_that_it_was_launched_with():
    assert protocol_hash(Study.model_validate(STUDY), {"tasks/one/brief.md": "0" * 64}) == HASH


def test_a_plan_that_uses_no_newer_key_has_the_hash_and_the_seed_that_were_registered():
    assert Plan().sha256 == "8964edec6faad724308af8d9143044ad2b71c8bddc54542d465bf28c577cdb10"
    assert Plan(variant_time=True).sha256 != Plan().sha256
    assert Plan.model_validate(Plan(variant_time=True).model_dump()).variant_time


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("recruitment", "quotas", [{"question": "years", "answer": 1, "share": 0.5}]),
        ("recruitment", "bonus", [{"per": "quiz_points", "amount": 0.1}]),
    ],
)
def test_a_newer_key_that_is_used_counts_in_the_hash(section, key, value):
    assert (section, key) in ADDED_KEYS
    plain, used = Study.model_validate(STUDY), Study.model_validate(STUDY | {section: {key: value}})
    assert plain.canonical() != used.canonical()
    assert key not in plain.published()[section]


def test_arms_that_factors_make_have_another_hash_than_the_same_arms_written_out():
    factor = {"id": "help", "levels": {"none": {}, "ai": {"assistant": "full"}}}
    crossed = {key: value for key, value in STUDY.items() if key != "arms"}
    made = Study.model_validate(crossed | {"factors": [factor], "arms_from": {"factors": ["help"]}})
    written = Study.model_validate(STUDY | {"arms": [arm.model_dump() for arm in made.arms]})
    assert made.arms == written.arms
    assert made.canonical() != written.canonical()
    assert not {"factors", "arms_from"} & set(written.published())
