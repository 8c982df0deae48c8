"""What a look says of the plan's primary rows, and what is left of them at the end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from scipy import stats

from analysis.design.sequential import TakenLook
from analysis.estimators.core.results import Estimate
from analysis.pipeline.looks.final import Looks, after_looks, deviations, section
from analysis.pipeline.looks.rows import error_of, looked_at, z_of
from study_app.domain.study.analysis_plan import Plan

FIRST = TakenLook(1, 50, 0.5)


def plan(primary: int = 1, multiplicity: str = "holm", **stopping) -> Plan:
    outcomes = [{"id": f"y{place}"} for place in range(primary)]
    rule = {"kind": "obrien_fleming", "looks": [0.5, 1.0]} | stopping
    return Plan.model_validate(
        {"outcomes": outcomes, "primary": [o["id"] for o in outcomes], "estimands": [], "stopping": rule,
         "multiplicity": {"method": multiplicity}}
    )  # fmt: skip


def row(name: str, z: float) -> Estimate:
    return Estimate(
        id=f"{name}.rerandomization", role="primary", outcome=name, method="rerandomization", contrast=("ai", "no_ai"),
        estimate=2.0 * z, std_error=2.0, p_value=float(2 * stats.norm.sf(abs(z))), ci_low=2 * z - 4, ci_high=2 * z + 4,
        n={"ai": 25, "no_ai": 25},
    )  # fmt: skip


def said(*z: float, **more) -> dict:
    return looked_at(plan(len(z), **more), [FIRST], {}, [row(f"y{k}", value).to_json() for k, value in enumerate(z)])


def ended(zs: tuple[float, float], n: int = 100, allocated: bool = True) -> tuple[Looks, Estimate]:
    made = plan()
    first = row("y0", zs[0])
    result = looked_at(made, [FIRST], {}, [first.to_json()])
    entry = {"look": 1, "n": 50, "target": 100, "information": 0.5, "result": result}
    looks = Looks(made, (entry,), n, 100, allocated, False)
    (last,) = after_looks(looks, [row("y0", zs[1])])
    return looks, last


def test_below_its_futility_bound_a_look_says_so():
    assert said(0.4, futility=[0.5])["decision"] == "futility"
    assert said(0.6, futility=[0.5])["decision"] == "continue"
    assert said(-0.4, futility=[0.5])["decision"] == "futility"
    assert said(0.4)["decision"] == "continue"
    assert said(0.4, 0.6, futility=[0.5])["decision"] == "continue"


def test_a_trial_stops_for_a_difference_only_where_the_whole_family_is_rejected():
    assert said(3.0)["decision"] == "efficacy"
    assert said(-3.0)["decision"] == "efficacy"
    assert said(2.7)["decision"] == "continue"
    assert said(3.0, 1.0)["decision"] == "continue"
    both = said(3.5, 3.0)
    assert both["decision"] == "efficacy"
    first, second = both["rows"]
    assert first["p_adjusted"] == pytest.approx(2 * first["sequential_p"])
    assert second["p_adjusted"] >= second["sequential_p"]
    # By Holm the first step needs the boundary at half the level.
    assert said(2.85, 2.85)["decision"] == "continue"
    assert said(2.85, 2.85, multiplicity="none")["decision"] == "efficacy"


def test_the_repeated_interval_is_the_estimate_and_the_boundary():
    (found,) = said(2.0)["rows"]
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((4 - 2 * 2.79651, 4 + 2 * 2.79651), abs=1e-4)


def test_z_has_the_sign_of_the_estimate_and_survives_what_could_not_be_made():
    assert z_of(row("y", -1.5).to_json()) == pytest.approx(-1.5)
    nothing = Estimate(role="primary").to_json()
    assert z_of(nothing) == 0.0
    assert error_of(nothing, 0.0) is None


def test_after_two_looks_the_estimate_is_pulled_back_and_the_interval_excludes_none_with_the_p():
    for first, last in ((1.0, 2.5), (1.0, 1.97), (1.0, 1.985), (-1.0, 2.2), (0.3, -2.4)):
        _, found = ended((first, last))
        assert (found.p_value <= 0.05) == (abs(last) >= 1.977431)
        assert (found.ci_low > 0 or found.ci_high < 0) == (found.p_value <= 0.05)
        assert found.ci_low < found.estimate < found.ci_high
        assert abs(found.estimate) <= abs(2 * last) + 1e-9


def test_a_row_that_crossed_at_the_first_look_is_reported_from_there():
    looks, found = ended((3.2, 1.0))
    assert found.detail["stopped_at_look"] == 1
    assert found.p_value == pytest.approx(2 * stats.norm.sf(3.2))
    assert found.estimate == pytest.approx(6.4)
    assert found.detail["sequential_p"] <= 0.05
    assert found.detail["single_look_estimate"] == 2.0
    assert deviations(looks) == []


@pytest.mark.parametrize("hidden", [False, True])
def test_a_primary_row_once_more_with_the_excluded_says_that_it_is_of_a_single_look(hidden):
    looks, _ = ended((1.0, 2.5))
    more = replace(row("y0", 2.2), id="y0.rerandomization.with_excluded", role="sensitivity",
                   population="with_excluded")  # fmt: skip
    other = replace(row("y0", 2.2), id="y0.welch_t", role="sensitivity")
    _, found, plain = after_looks(replace(looks, hidden=hidden), [row("y0", 2.5), more, other])
    assert (found.p_value, found.estimate) == (more.p_value, more.estimate)
    assert ("planned looks" if hidden else "of a single look") in found.note
    assert plain == other


def test_a_trial_that_ends_at_a_look_without_crossing_does_not_reject():
    _, found = ended((2.5, 2.5), n=50)
    assert 2 * stats.norm.sf(2.5) < 0.05 < found.p_value
    assert found.ci_low < 0 < found.ci_high


def test_a_trial_that_ends_early_after_a_look_does_not_spend_what_was_kept_for_later():
    looks, short = ended((1.0, 2.1), n=70, allocated=False)
    _, whole = ended((1.0, 2.1))
    assert whole.p_value < 0.05 < short.detail["sequential_p"]
    assert "ended with 70 of 100 planned people after a look" in deviations(looks)[0]


def test_while_arms_are_hidden_nothing_of_the_looks_is_used():
    looks, _ = ended((3.2, 1.0))
    given = row("y0", 1.0)
    (found,) = after_looks(replace(looks, hidden=True), [given])
    assert found.p_value == given.p_value
    assert "sealed" in found.note


def test_a_look_that_was_left_out_is_told_and_leaves_its_error_to_the_end():
    looks = Looks(plan(), (), 100, 100, True, False)
    (found,) = after_looks(looks, [row("y0", 1.97)])
    assert found.p_value == pytest.approx(2 * stats.norm.sf(1.97))
    assert "Planned look 1, at 50 of 100 people, was not taken" in deviations(looks)[0]


def test_of_a_table_without_a_word_on_looks_none_is_said_to_be_left_out():
    looks = Looks(plan(), (), 100, None, complete=True, hidden=False, recorded=False)
    (said,) = deviations(looks)
    assert said.startswith("A table does not tell whether the planned looks were taken")
    assert (section(looks, [])["looks"], section(looks, []).get("not_taken")) == ([], None)


def passing(bound: float, **rule) -> tuple[Looks, Estimate]:
    """A trial that went on although its first look was below the bound, and crossed at the end only by that bound."""
    made = plan(futility=[bound], **rule)
    result = looked_at(made, [FIRST], {}, [row("y0", 0.3).to_json()])
    entry = {"look": 1, "n": 50, "target": 100, "information": 0.5, "result": result}
    looks = Looks(made, (entry,), 100, 100, complete=True, hidden=False)
    (last,) = after_looks(looks, [row("y0", 1.9)])
    return looks, last


def test_a_trial_that_goes_on_below_a_binding_bound_keeps_its_error():
    looks, found = passing(1.0, binding=True)
    _, free = passing(1.0)
    assert found.detail["boundary"] == pytest.approx(free.detail["boundary"]) == pytest.approx(1.977431, abs=1e-5)
    assert not found.detail["crossed"]
    (said,) = deviations(looks)
    assert "Look 1 was below its binding bound for futility, and more people came after it" in said
    respected = replace(looks, entries=())
    assert not any(look.passed_over for look in respected.taken)


def test_sequential_p_values_never_rise_from_look_to_look():
    made, z = plan(looks=[0.25, 0.5, 1.0]), [1.5, 2.0, 1.0]
    taken = [TakenLook(1, 25, 0.25), TakenLook(2, 50, 0.5), TakenLook(3, 100, 1.0)]
    found = [
        looked_at(made, taken[:k], {"y0.rerandomization": z[: k - 1]}, [row("y0", z[k - 1]).to_json()])["rows"][0]
        for k in (1, 2, 3)
    ]
    assert all(after["sequential_p"] <= before["sequential_p"] + 1e-9 for before, after in pairwise(found))


def floored(z: float, assignments: int) -> Estimate:
    """A row whose p is the smallest that so many re-randomisations can give."""
    smallest = 1 / (assignments + 1)
    return replace(row("y0", z), p_value=smallest, detail={"assignments": assignments})


def test_the_interval_of_an_effect_beyond_all_re_randomisations_is_that_of_its_standard_error():
    before = looked_at(plan(), [FIRST], {}, [row("y0", 2.0).to_json()])
    entry = {"look": 1, "n": 50, "target": 100, "information": 0.5, "result": before}
    after = Looks(plan(), (entry,), 100, 100, True, False)
    (known,) = after_looks(after, [row("y0", 4.5)])
    for assignments in (499, 9999):
        (last,) = after_looks(after, [floored(4.5, assignments)])
        names = ("estimate", "ci_low", "ci_high")
        assert [getattr(last, name) for name in names] == pytest.approx([getattr(known, name) for name in names])
        # The p itself is no smaller than re-randomisations can say.
        assert last.p_value >= 1 / (assignments + 1)
        result = looked_at(plan(), [FIRST], {}, [floored(8.0, assignments).to_json()])
        (first,) = result["rows"]
        assert first["ci_high"] - first["ci_low"] == pytest.approx(2 * first["boundary"] * 2.0)
        # Stopped there, the end takes the figures of the look as they were stored.
        entry = {"look": 1, "n": 50, "target": 100, "information": 0.5, "result": result}
        (stopped,) = after_looks(Looks(plan(), (entry,), 50, 100, False, False), [row("y0", 1.0)])
        assert stopped.ci_high - stopped.ci_low == pytest.approx(2 * stats.norm.isf(0.025) * 2.0, rel=1e-3)


def test_where_many_re_randomisations_are_as_extreme_the_error_is_the_estimate_over_z():
    known = replace(row("y0", 2.0), detail={"assignments": 9999}).to_json()
    assert error_of({**known, "std_error": 0.1}, 2.0) == pytest.approx(4.0 / 2.0)
    assert error_of({**known, "std_error": 0.1, "p_value": 0.0009}, 2.0, crossed=True) == pytest.approx(0.1)
    # A boundary that was not reached and an interval without zero would contradict each other.
    assert error_of({**known, "std_error": 0.1, "p_value": 0.0009}, 2.0) == pytest.approx(4.0 / 2.0)
