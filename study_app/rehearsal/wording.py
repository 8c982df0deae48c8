"""A rehearsal's figures as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.pipeline.regimes.rows import arm_of_row


def rehearsal_lines(table: Mapping[str, Any]) -> list[str]:
    """Return what `study rehearse` prints.

    Args:
        table: as `figures` returns it.
    """
    tests = "test" if table["family"] == 1 else "tests"
    rule = f"{table['multiplicity']} over {table['family']} primary {tests} at {table['alpha']:g}"
    found = [
        f"{table['trials']} trials of each scenario, {table['participants']} people each, level {table['level']}",
        f"Rule: {rule}",
    ]
    for entry in table["scenarios"]:
        found += ["", *_scenario(entry)]
    return found


def _scenario(entry: Mapping[str, Any]) -> Iterator[str]:
    yield f"Scenario {entry['id']}: {_assumed(entry)}"
    word = "type I error" if entry["null"] else "power"
    for row in sorted(entry["rows"], key=lambda row: row["role"] != "primary"):
        role = "" if row["role"] == "primary" else f"{row['role']}, unadjusted: "
        contrast = " - ".join(row["contrast"]) + _within(row)
        yield (
            f"  {role}{row['outcome']} ({contrast}), {row['sides']}: {word} {_figure(row['rejected'])}, "
            f"estimate {_figure(row['mean_estimate'])}"
        )
        if row["mean_true"]["value"] is not None:
            yield (
                f"    true effect {_figure(row['mean_true'])}, bias {_figure(row['bias'])}, "
                f"interval covers it {_figure(row['coverage'])}"
            )
        if row["not_estimable"]:
            yield f"    not estimable in {row['not_estimable']} trials, which count as not rejected"
    yield f"  at least one of them: {_figure(entry['any'])}; all of them: {_figure(entry['all'])}"
    if "looks" in entry:
        stops = [f"look {look} {_figure(share)}" for look, share in enumerate(entry["looks"]["stopped"], start=1)]
        yield f"  stops at {', '.join(stops)}; {_figure(entry['looks']['expected_n'])} people allocated"
    statuses = ", ".join(f"{count:.1f} {status}" for status, count in entry["people"]["statuses"].items())
    yield f"  people a trial: {statuses}"
    cost = "" if entry["usd"]["value"] is None else f"; assistant {_figure(entry['usd'])} USD a trial"
    yield f"  minutes a person: {_figure(entry['minutes'])}; {entry['person_hours']:.0f} person-hours a trial{cost}"


def _within(row: Mapping[str, Any]) -> str:
    """Say in which arm second treatments are compared; empty for all arms together and for other rows."""
    arm = arm_of_row(str(row["id"]))
    return f" in {arm}" if arm else ""


def _assumed(entry: Mapping[str, Any]) -> str:
    if entry["null"]:
        return "no effect on anybody, everybody as planned"
    said = {name: value for name, value in entry["assumed"].items() if value or not name.startswith("second_")}
    return ", ".join(f"{name.replace('_', ' ')} {_amount(value)}" for name, value in said.items())


def _amount(value: Any) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{arm} {amount:g}" for arm, amount in value.items()) + ")"
    return f"{value:g}"


def _figure(figure: Mapping[str, float | None]) -> str:
    value, error = figure["value"], figure["mc_error"]
    if value is None:
        return "-"
    return f"{value:.3f}" if error is None else f"{value:.3f} +- {error:.3f}"
