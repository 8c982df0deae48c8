"""Times in a study file are ones that a calendar holds: no moment is computed beyond its end."""

from __future__ import annotations

import pytest
from support.analysis.shipped_plan import SHIPPED, study

from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.errors import ProblemsFound

DECADE = 3_660


@pytest.mark.parametrize("hours", [24 * DECADE + 1, 1e8, 1e300])
def test_silence_counts_within_ten_years(hours):
    recruitment = SHIPPED.get("recruitment", {}) | {"abandoned_after_hours": hours}
    with pytest.raises(ProblemsFound, match="recruitment.abandoned_after_hours"):
        study(recruitment=recruitment)
    assert study(recruitment=recruitment | {"abandoned_after_hours": 24 * DECADE}).recruitment


@pytest.mark.parametrize("days", [DECADE + 1, 1e12])
def test_reminders_are_sent_within_ten_years(days):
    sessions = [{"id": "one", "remind_days": [1, days]}]
    with pytest.raises(ProblemsFound, match="sessions.*remind_days"):
        study(sessions=sessions)


def test_an_assistant_opens_within_a_week():
    field = AssistantSpec.model_fields["opens_after_minutes"]
    assert [bound.le for bound in field.metadata if hasattr(bound, "le")] == [7 * 24 * 60]
