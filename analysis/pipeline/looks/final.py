"""The final analysis after looks: p, estimate and interval by the stage-wise ordering, and the looks as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from analysis.design.sequential import SequentialTest, TakenLook, stage_wise
from analysis.estimators.core.no_effect import no_effect
from analysis.estimators.core.results import Estimate
from analysis.pipeline.looks.recorded import histories, opened, taken_looks
from analysis.pipeline.looks.rows import error_of, looked_at, with_detail, within_scale, z_of
from analysis.pipeline.people.flow import NOT_ANALYSED
from analysis.pipeline.prepare import Prepared
from study_app.domain.study.analysis_plan import Plan

HIDDEN = "not adjusted for the planned looks, whose results stay sealed until the trial is unsealed"
AT_END = "p, estimate and interval by the stage-wise ordering, after {looks}; those of a single look in detail"
UNRECORDED = "a table does not tell whether the planned looks were taken: the primary rows are those of a single look"
OF_ONE = "of a single look, as `single_look_estimate` and `single_look_p_value` of the primary row"
NO_MORE = "ended at look {look} with its boundary not crossed: p is the sequential p; the interval is the repeated one"


@dataclass(frozen=True)
class Looks:
    """What is known of the planned looks at the end."""

    plan: Plan
    entries: tuple[Mapping[str, Any], ...]
    """Looks before the end, with what they found."""
    n: int
    """People whose outcomes are known now."""
    target: int | None
    complete: bool
    """Whether the planned number of people was allocated."""
    hidden: bool
    recorded: bool = True
    """Whether the data tell of looks: a table collected elsewhere does not."""

    @property
    def taken(self) -> tuple[TakenLook, ...]:
        """The looks, the final one last where there are more people than at the look before."""
        # A trial that ended at a look has no further analysis: a final look at the same people would spend error twice.
        went_on = not self.entries or self.n > int(self.entries[-1]["n"])
        before = taken_looks(self.entries, went_on)
        if not went_on:
            return tuple(before)
        # A trial that ended early has not reached full information, and may not spend the error that the plan keeps for
        # the end.
        information = 1.0 if self.complete or not before or not self.target else min(self.n / self.target, 1.0)
        return (*before, TakenLook(len(self.plan.stopping.looks), self.n, information))

    @property
    def missed(self) -> list[int]:
        """Planned looks before the end that were not taken."""
        numbers = {int(entry["look"]) for entry in self.entries}
        return [place for place in range(1, len(self.plan.stopping.interim) + 1) if place not in numbers]


def looks_of(prepared: Prepared) -> Looks | None:
    """Return what the dataset tells of the plan's looks; None where none are planned."""
    plan, view = prepared.fitted, prepared.view
    if not plan.stopping.interim:
        return None
    people, study = view.participants, prepared.dataset.study.study
    allocated = people["arm"].notna()
    known = int((allocated & ~people["status"].isin(NOT_ANALYSED)).sum()) if "status" in people else len(people)
    target = study.recruitment.target_n if study is not None else None
    complete = target is None or int(allocated.sum()) >= target
    return Looks(plan, tuple(opened(prepared.dataset, view.kinds)), known, target, complete, view.hidden,
                 not prepared.dataset.plain)  # fmt: skip


def after_looks(looks: Looks, rows: Sequence[Estimate]) -> list[Estimate]:
    """Primary rows as a group-sequential trial reports them; others, and rows without p or estimate, as they are."""
    if looks.hidden:
        return [replace(row, note=_joined(row.note, HIDDEN)) if _repeats(row) else row for row in rows]
    if not looks.entries:
        return list(rows)
    again = [row.id for row in rows if _repeats(row) and row.role != "primary"]
    rows = [replace(row, note=_joined(row.note, OF_ONE)) if row.id in again else row for row in rows]
    # A row that the looks did not have (a later amendment) gets z = 0 at each of them.
    before = histories(looks.entries)
    return [_final(looks, row, before.get(row.id, [0.0] * len(looks.entries))) if _usable(row) else row for row in rows]


def _repeats(row: Estimate) -> bool:
    """Return whether a row is primary, or a primary one once more with the people excluded."""
    return row.role == "primary" or row.population == "with_excluded"


def _usable(row: Estimate) -> bool:
    return row.role == "primary" and row.p_value is not None and row.estimate is not None


def _final(looks: Looks, row: Estimate, before: Sequence[float]) -> Estimate:
    taken, plan = looks.taken, looks.plan
    ended = len(taken) == len(looks.entries)
    z = [*before] if ended else [*before, z_of(row.to_json())]
    test = SequentialTest(plan.stopping, taken)
    critical = test.critical(1 - plan.level)
    p = test.sequential_p(z)
    fixed = {"estimate": row.estimate, "ci_low": row.ci_low, "ci_high": row.ci_high, "p_value": row.p_value}
    # The first crossing counts, also where the trial went on after it: what follows a rejection cannot take it back.
    at = next((place for place, value in enumerate(z) if abs(value) >= critical[place]), len(z) - 1)
    crossed = abs(z[at]) >= critical[at]
    row = with_detail(
        row, looks=len(taken), stopped_at_look=taken[at].number, boundary=critical[at], z=z[at], crossed=crossed,
        sequential_p=p, **{f"single_look_{name}": value for name, value in fixed.items()},
    )  # fmt: skip
    source = row.to_json() if at == len(looks.entries) else _row_at(looks, row.id, at)
    null, method = no_effect(row.method, row.unit), row.method
    error = error_of(source, z[at], null=null, crossed=crossed)
    if error is None:
        return replace(row, p_value=p, note=_joined(row.note, "no standard error: p is the sequential p"))
    # Stopped without crossing, for futility or by decision: the stage-wise ordering has no place for that, whereas
    # repeated intervals (Jennison and Turnbull 1989) hold whenever a trial stops.
    if ended and not crossed:
        half, note = critical[at] * error, NO_MORE.format(look=taken[at].number)
        low, high = (within_scale(method, source["estimate"] + side * half) for side in (-1, 1))
        return replace(row, p_value=p, estimate=source["estimate"], std_error=source["std_error"], ci_low=low,
                       ci_high=high, note=_joined(row.note, note))  # fmt: skip
    # On the scale of z; times the standard error it is back in the outcome's unit, where median and ends are reported.
    ordered = partial(stage_wise, [look.n for look in taken[: at + 1]], critical[:at], level=plan.level)
    found = ordered(z=(source["estimate"] - null) / error)
    return replace(
        row, estimate=null + found.median * error, std_error=source["std_error"], df=source["df"],
        p_value=ordered(z=z[at]).p_value,
        ci_low=within_scale(method, null + found.low * error),
        ci_high=within_scale(method, null + found.high * error),
        note=_joined(row.note, AT_END.format(looks="1 look" if len(taken) == 1 else f"{len(taken)} looks")),
    )  # fmt: skip


def _row_at(looks: Looks, row_id: str, place: int) -> Mapping[str, Any]:
    rows: dict[str, Mapping[str, Any]] = {row["id"]: row for row in looks.entries[place]["result"]["rows"]}
    return rows.get(row_id, {"estimate": None, "std_error": None, "df": None, "p_value": None})


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def deviations(looks: Looks) -> list[str]:
    """Return what was not done as planned."""
    if looks.hidden:
        return []
    if not looks.recorded:
        return [f"{UNRECORDED[0].upper()}{UNRECORDED[1:]}."]
    target = looks.target or looks.n
    found = []
    for place in looks.missed:
        due = looks.plan.stopping.due_at(place, target)
        found.append(f"Planned look {place}, at {due} of {target} people, was not taken; the boundaries allow for it.")
    for entry in looks.entries:
        due = looks.plan.stopping.due_at(int(entry["look"]), int(entry["target"]))
        if entry["n"] > due:
            found.append(f"Look {entry['look']} was planned at {due} people and taken at {entry['n']}.")
    if looks.plan.stopping.binding:
        found += [
            f"Look {look.number} was below its binding bound for futility, and more people came after it; later "
            "boundaries do not count on that bound."
            for look in looks.taken if look.passed_over
        ]  # fmt: skip
    if not looks.complete and looks.entries:
        found.append(f"The trial ended with {looks.n} of {target} planned people after a look; the error that the plan "
                     "keeps for later was not spent.")  # fmt: skip
    return found


def section(looks: Looks | None, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`interim` of results.json: the rule, the looks and what they found; without results while arms are hidden.

    Args:
        looks: None where none are planned.
        rows: the primary rows as at a single look.
    """
    if looks is None:
        return {}
    rule = looks.plan.stopping
    about: dict[str, Any] = {"rule": rule.sentence, "planned": list(rule.looks), "target": looks.target}
    if looks.hidden or not looks.recorded:
        return {**about, "looks": [], "note": HIDDEN if looks.hidden else UNRECORDED}
    listed = [
        {**{name: entry[name] for name in ("look", "n", "information", "at", "decision")},
         **{name: value for name, value in entry["result"].items() if name != "decision"}}
        for entry in looks.entries
    ]  # fmt: skip
    taken = looks.taken
    if len(taken) > len(looks.entries):
        last = looked_at(looks.plan, taken, histories(looks.entries), rows)
        decision = "efficacy" if last.pop("decision") == "efficacy" else "end"
        listed.append({"look": taken[-1].number, "n": taken[-1].n, "information": taken[-1].information, "at": None,
                       "decision": decision, **last})  # fmt: skip
    return {**about, "looks": listed, "not_taken": looks.missed, "note": ""}
