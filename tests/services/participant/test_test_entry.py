"""A test entry lets researchers try a launched study: previews only, whatever else the address brings."""

from __future__ import annotations

import pytest
from support.trials.console_trial import Trial

from study_app.domain.errors import NotAllowed
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export


@pytest.fixture(params=["links", "prolific"])
def trial(tmp_path, request):
    made = Trial(tmp_path, launched=True, entry=request.param)
    yield made
    made.close()


def test_who_comes_by_a_test_entry_stays_preview_after_launch_and_takes_no_place(trial):
    app = trial.app
    secret = app.links.create_test().secret
    entry = EntryRequest.parse({"test": secret, "PROLIFIC_PID": "abc123", "SESSION_ID": "s1", "STUDY_ID": "x"})
    first = app.enrol.enter(entry)
    second = app.enrol.enter(entry)
    assert [who.participant.kind for who in (first, second)] == ["preview", "preview"]
    assert first.participant.id != second.participant.id, "one address serves every test"
    assert first.participant.prolific_pid is None
    back = app.enrol.enter(entry, first.token)
    assert (back.participant.id, back.new) == (first.participant.id, False)
    trial.to_tasks(first.participant.id)
    with app.context.registry.begin(write=False) as unit:
        assert len(unit.allocations("preview")) == 1
        assert unit.allocations("real") == []
        assert [act.what for act in unit.audit()][-1] == "create-test-entry"
    again = app.enrol.enter(EntryRequest(again="1"), first.token)
    assert (again.participant.kind, again.new) == ("preview", True)


def test_a_test_entry_works_once_enrolment_is_closed(trial):
    secret = trial.app.links.create_test().secret
    trial.app.lifecycle.close("enough")
    assert trial.app.enrol.enter(EntryRequest(test=secret)).participant.kind == "preview"


def test_an_invented_test_entry_lets_no_one_in(trial):
    with pytest.raises(NotAllowed, match="this link does not exist"):
        trial.app.enrol.enter(EntryRequest(test="guessed"))
    with pytest.raises(NotAllowed):
        trial.app.enrol.enter(EntryRequest(again="1"))


def test_previews_after_launch_are_in_an_export_that_asks_for_them_and_in_no_other(tmp_path):
    trial = Trial(tmp_path, launched=True)
    trial.app.enrol.enter(EntryRequest(test=trial.app.links.create_test().secret))
    export(trial.app.context, tmp_path / "real")
    export(trial.app.context, tmp_path / "all", include_preview=True)
    trial.close()
    rows = [
        len(next((tmp_path / name / "data").glob("*participants_data.csv")).read_text().splitlines()) - 1
        for name in ("real", "all")
    ]
    assert rows == [0, 1]
