"""What counts as an unblinding: of real participants, before the arms were known to everybody, each person once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from analysis.pipeline.people.blinding import _during, _ends
from study_app.dataset.writing.manifest import Seen, audit_summary, public_audit
from study_app.domain.records import AuditEntry

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
KINDS = {"p1": "real", "p2": "real", "preview7": "preview"}


def log(*acts: tuple[str, str, dict[str, str]]) -> list[AuditEntry]:
    """Return the acts, an hour apart."""
    return [
        AuditEntry(START + timedelta(hours=hour), who, what, "why", detail)
        for hour, (who, what, detail) in enumerate(acts)
    ]


def summary(*acts: tuple[str, str, dict[str, str]]) -> dict:
    return audit_summary(log(*acts), log(*acts), (), KINDS)


def test_a_person_unblinded_twice_is_one_and_the_exclusion_of_a_preview_follows_no_unblinding():
    found = summary(
        ("anna", "unblind", {"participant_id": "p1", "kind": "real"}),
        ("ben", "unblind", {"participant_id": "p1", "kind": "real"}),
        ("anna", "exclude", {"participant_id": "preview7"}),
        ("anna", "exclude", {"participant_id": "p2"}),
    )
    assert [act.get("after_unblinding") for act in found["exclusions"]] == [None, True]
    counts = public_audit(found, str)["counts"]
    assert (counts["unblindings"], counts["exclusions_after_unblinding"]) == (1, 1)


def test_an_unblinding_of_a_preview_by_a_version_that_named_no_kind_is_none():
    found = summary(("anna", "unblind", {"participant_id": "preview7"}), ("anna", "exclude", {"participant_id": "p1"}))
    assert found["unblindings"] == []
    assert found["exclusions"][0]["after_unblinding"] is False


def test_a_look_after_unsealing_unblinds_no_one():
    found = summary(
        ("anna", "saw chats or code", {"seen": "queries"}),
        ("anna", "unseal", {}),
        ("ben", "saw chats or code", {"seen": "queries"}),
        ("ben", "unblind", {"participant_id": "p1", "kind": "real"}),
    )
    assert [act["by"] for act in found["looks"]] == ["person 1"]
    assert found["unblindings"] == []


def test_what_was_judged_is_known_by_its_participant():
    seen = Seen(turns={"t1": "p1"}, runs={"r1": "p2"}, interviews={"i1": "p1"})
    objects = ("turn:t1", "run:r1", "interview:i1#topic", "answer:preview7:quiz:q1", "turn:t9")
    assert [seen.whose(each) for each in objects] == ["p1", "p2", "p1", "preview7", None]


def test_an_unblinding_of_who_fell_silent_is_known_to_be_in_time_only_before_their_last_stage_ended():
    class Made:
        tables = {
            "participants": pd.DataFrame(
                {
                    "participant_id": ["going", "silent", "done"],
                    "status": ["in_progress", "abandoned", "completed"],
                    "finished_at": pd.to_datetime([None, None, "2026-01-05T12:00Z"], utc=True),
                }
            ),
            "visits": pd.DataFrame(
                {"participant_id": ["going", "silent"], "ended_at": pd.to_datetime(["2026-01-05T10:00Z"] * 2, utc=True)}
            ),
        }

    ends = _ends(Made())  # type: ignore[arg-type]
    late, early = "2026-01-20T09:00:00.000Z", "2026-01-05T09:30:00.000Z"
    assert [_during(late, ends.get(who)) for who in ("going", "silent", "done")] == [True, None, False]
    assert [_during(early, ends.get(who)) for who in ("going", "silent", "done")] == [True] * 3
