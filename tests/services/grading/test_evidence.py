"""How often a call is made again in real time, and what all its attempts come to."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from study_app.domain.tasks.checks import Case, Check, Observation, Same
from study_app.domain.tasks.programs import RunLimits, RunResult
from study_app.services.grading import evidence
from study_app.services.grading.evidence import REPEATS, CallRuns, RealTimeCall
from study_app.services.grading.observation import Attempt
from study_app.services.grading.references import Expected
from study_app.services.grading.verdicts import Judgement

JUDGED = {
    "right": Judgement(),
    "wrong": Judgement(wrong="too late"),
    "open": Judgement(wrong="too late", open="the machine was late"),
    "firm": Judgement(wrong="another result", firm=True),
}
NO_MOMENTS = Same(times=False, duration=False)
MADE = Attempt(Observation(), RunResult("", "", (), 0, "exit", 1.0, "strong", 1, lag_seconds=0.0))


@pytest.mark.parametrize(
    ("attempts", "comes_to"),
    [
        (["right"], "right"),
        (["firm"], "firm"),
        # By its moments alone nothing is wrong until a second attempt is.
        (["wrong", "right"], "right"),
        (["wrong", "wrong"], "wrong"),
        (["wrong", "firm"], "firm"),
        # What a late machine did speaks neither for nor against the program.
        (["open", "right"], "right"),
        (["open", "firm"], "firm"),
        (["open", "wrong", "right"], "right"),
        (["open", "wrong", "wrong"], "wrong"),
        (["wrong", "open", "wrong"], "wrong"),
        (["wrong", *["open"] * (REPEATS - 1), "wrong"], "wrong"),
        (["wrong", *["open"] * REPEATS], "open"),
        (["open"] * (REPEATS + 1), "open"),
    ],
)
def test_a_call_is_made_again_until_it_is_right_or_twice_wrong_and_five_times_at_most(monkeypatch, attempts, comes_to):
    made = iter(attempts)
    monkeypatch.setattr(evidence, "observe", lambda *_: MADE)
    monkeypatch.setattr(evidence, "judge_in_real_time", lambda *_, **__: JUDGED[next(made)])
    pack = SimpleNamespace(limits=RunLimits())
    call = RealTimeCall(Check("moments"), Case("f"), Expected(Observation(seconds=1.0)), 1, proven=False)
    [found] = CallRuns(None, pack, "", None).in_real_time([call], controlled=True)
    assert (found.judgement, found.repeats) == (JUDGED[comes_to], len(attempts) - 1)
    assert list(made) == []


def test_a_function_that_blocks_settles_its_undecided_calls_alone(monkeypatch):
    says = {"f-right": "right", "f-open": "open", "f-untimed": "open", "f-twice": "firm", "g-open": "open"}
    made: list[str] = []

    def judged(check, *_, **__):
        made.append(check.name)
        again = made.count(check.name) > 1
        return JUDGED["right" if again else says[check.name]]

    monkeypatch.setattr(evidence, "observe", lambda *_: MADE)
    monkeypatch.setattr(evidence, "judge_in_real_time", judged)
    monkeypatch.setattr(evidence, "judge_made_twice", judged)
    lasting = Expected(Observation(seconds=1.0))
    checks = [Check(name, compare=NO_MOMENTS if name == "f-untimed" else Same()) for name in says]
    calls = [
        RealTimeCall(each, Case(each.name[0]), lasting, 1, proven=False, twice=each.name == "f-twice")
        for each in checks
    ]
    found = CallRuns(None, SimpleNamespace(limits=RunLimits()), "", None).in_real_time(calls, controlled=True)
    came_to = {call.check.name: (one.judgement, one.repeats) for call, one in zip(calls, found, strict=True)}
    assert came_to == {
        "f-right": (JUDGED["right"], 0),
        "f-open": (JUDGED["firm"], 0),
        "f-untimed": (JUDGED["right"], 1),
        "f-twice": (JUDGED["firm"], 0),
        "g-open": (JUDGED["right"], 1),
    }
