"""How often an act is tried again, and for how long, where the database is in the way."""

from __future__ import annotations

import pytest

from study_app.domain.errors import Conflict, InfrastructureError, NotAllowed
from study_app.services import retrying
from study_app.services.retrying import ATTEMPTS, INSIST_SECONDS, REFUSALS, Ends, insisting, retried


@pytest.fixture(autouse=True)
def passed(monkeypatch):
    """Let time pass by sleeping alone, and return the pauses."""
    pauses: list[float] = []
    monkeypatch.setattr(retrying.time, "sleep", pauses.append)
    monkeypatch.setattr(retrying.time, "monotonic", lambda: sum(pauses))
    monkeypatch.setattr(retrying, "uniform", lambda _, high: high)
    return pauses


class Act:
    """Fails so many times, in a way, and says how often it was tried."""

    def __init__(self, fails: float, error: Exception) -> None:
        self.fails, self.error, self.tried = fails, error, 0

    def __call__(self) -> str:
        self.tried += 1
        if self.tried <= self.fails:
            raise self.error
        return "done"


def test_an_act_is_tried_five_times_while_another_is_in_the_way_later_each_time(passed):
    assert ATTEMPTS == 5
    act = Act(4, Conflict("in the way"))
    assert (retried(act)(), act.tried) == ("done", 5)
    assert passed == pytest.approx([0.05, 0.10, 0.15, 0.20])
    act = Act(5, Conflict("in the way"))
    with pytest.raises(Conflict):
        retried(act)()
    assert act.tried == 5


@pytest.mark.parametrize("error", [NotAllowed("no"), InfrastructureError("away")])
def test_what_no_second_try_can_mend_is_tried_once(error):
    act = Act(1, error)
    with pytest.raises(type(error)):
        retried(act)()
    assert act.tried == 1


def test_an_act_that_insists_is_tried_for_twenty_seconds_with_pauses_of_a_second_at_most(passed):
    act = Act(8, InfrastructureError("away"))
    assert insisting(act)() == "done"
    assert passed == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0])
    with pytest.raises(InfrastructureError):
        insisting(Act(10**9, InfrastructureError("away")))()
    assert INSIST_SECONDS <= sum(passed[8:]) < INSIST_SECONDS + 1


def test_an_end_is_kept_until_the_database_takes_it():
    ends, act = Ends(), Act(10**9, InfrastructureError("away"))
    ends.store("a", act)
    assert "a" in ends
    act.fails = 0
    ends.store_kept()
    assert "a" not in ends


@pytest.mark.parametrize(
    ("error", "kept_for"),
    [(Conflict("in the way"), 3 * REFUSALS), (InfrastructureError("refused"), REFUSALS - 1), (ValueError("odd"), 0)],
)
def test_an_end_that_is_refused_again_and_again_is_given_up_and_holds_up_no_other(error, kept_for):
    ends, refused, other = Ends(), *(Act(10**9, InfrastructureError("away")) for _ in range(2))
    ends.store("a", refused)
    ends.store("b", other)
    # From here on the database is back, and takes the other end.
    refused.error, other.fails = error, 0
    for _ in range(kept_for):
        ends.store_kept()
        assert ("a" in ends, "b" in ends) == (True, False)
    if kept_for < 3 * REFUSALS:
        ends.store_kept()
        assert "a" not in ends
