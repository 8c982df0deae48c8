"""The second decision: who was decided on, whether the rule gives the response, and the ledger behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow, kind_of
from study_app.dataset.schema import question_column
from study_app.dataset.verification.allocation import decision_of
from study_app.dataset.verification.server_log import said
from study_app.domain.events.server import SecondDecided
from study_app.domain.study.study import Study

_Breach = tuple[str, str]
"""Name, and what was found."""


def check_second_decision(opened: UntrustedDataset) -> None:
    """Every participant of a study with a second decision: the rule, the log and the ledger say the same."""
    if not any(study.second_decision for study in opened.studies.values()):
        return
    shown = [person for person in opened.rows("participants") if not opened.hides(kind_of(person))]
    logged = _logged(opened)
    ledger = {
        str(row["participant_id"]): row
        for row in opened.rows("allocations")
        if decision_of(row) == 2 and row["participant_id"]
    }
    visits = opened.by_participant("visits")
    for person in shown:
        name, study = str(person["participant_id"]), opened.study_of(person)
        if study is None or not study.second_decision:
            continue
        stages = {str(visit["stage"]) for visit in visits.get(name, [])}
        # Popped: a row that is left at the end belongs to a person who is not in the table.
        found = [*_decided(study, person, stages), *_ledger(person, ledger.pop(name, None))]
        if not person["data_withdrawn"] and not opened.public:
            found += _rule(study, person, logged.get(name, []))
        for kind, what in found:
            opened.report.add(kind, opened.relative("participants"), person.number, f"{name}: {what}")
    known = {str(person["participant_id"]) for person in shown}
    for name in sorted(set(ledger) - known):
        what = f"participant {name} has a second allocation and is not in participants"
        opened.report.add("participant_missing", opened.relative("allocations"), ledger[name].number, what)
    opened.report.note(f"{len(shown)} participants against the rule and the ledger of the second decision")


def _logged(opened: UntrustedDataset) -> Mapping[str, list[SecondDecided]]:
    found = defaultdict(list)
    for row in opened.stream("events"):
        if row["kind"] == SecondDecided.kind and isinstance(details := said(row), SecondDecided):
            found[str(row["participant_id"])].append(details)
    return found


def _decided(study: Study, person: UntrustedRow, stages: set[str]) -> Iterator[_Breach]:
    """Everybody who came to the stage was decided on, and has a treatment where they did not respond."""
    responded, treatment = person["responded"], person["second_treatment"]
    if study.second_decision.stage in stages and responded is None:
        yield "second_decision_missing", f"came to {study.second_decision.stage}, and nothing was decided"
    if responded is not None and person["arm"] is None:
        yield "second_decision_early", "was decided on without an arm"
    if responded is None and treatment is not None:
        yield "second_decision_missing", f"has the second treatment {treatment}, and nothing says of a response"
    if responded and treatment is not None:
        yield "responder_randomised", f"responded, and has the second treatment {treatment}"
    if responded is not None and not responded and treatment is None:
        yield "second_decision_missing", "did not respond, and has no second treatment"
    if treatment is not None and treatment not in {each.id for each in study.second_decision.treatments}:
        yield "unknown_treatment", f"{treatment} is not a second treatment of the study"


def _ledger(person: UntrustedRow, row: UntrustedRow | None) -> Iterator[_Breach]:
    treatment, index = person["second_treatment"], person["second_index"]
    if row is None:
        if treatment is not None and not person["data_withdrawn"]:
            yield "not_in_ledger", f"has the second treatment {treatment} and no row in the ledger of decision 2"
        return
    if person["responded"] or person["responded"] is None:
        yield "responder_randomised", f"has row {row['allocation_index']} in the ledger of decision 2, and should not"
    if row["ledger"] != kind_of(person):
        yield "wrong_ledger", f"is {kind_of(person)}, their second row is in {row['ledger']}"
    pairs = (("arm", treatment, "second_treatment"), ("allocation_index", index, "second_index"))
    for column, value, shown in pairs:
        if row[column] != value:
            yield f"{shown}_differs", f"{shown} is {value}, the ledger says {row[column]}"
    # A person keeps the version that they began with, for both decisions.
    if row["study_hash"] != person["study_hash"]:
        yield "study_hash_differs", "the second allocation names another version of the study"
    levels = row["levels"]
    if isinstance(levels, dict) and levels and levels != {"first": person["arm"]}:
        yield "wrong_levels", f"the second allocation was made for {levels}, the arm is {person['arm']}"


def _rule(study: Study, person: UntrustedRow, logged: list[SecondDecided]) -> Iterator[_Breach]:
    """Hold the rule against what the log says it looked at, and that against the person's own columns."""
    responded = person["responded"]
    if responded is None:
        if logged:
            yield "second_decision_unlogged", "the log has a second decision, and the table has none"
        return
    if len(logged) != 1:
        yield "second_decision_unlogged", f"the log has {len(logged)} second decisions"
        return
    event = logged[0]
    if event.responded != bool(responded) or event.index != person["second_index"]:
        yield "second_decision_unlogged", "the log says otherwise of the response or the place in the ledger"
    if study.second_decision.responded(event.known) != bool(responded):
        yield "response_differs", f"responded is {bool(responded)}, the rule gives otherwise over {dict(event.known)}"
    for name, due in _now(study, person).items():
        if not _same(event.known.get(name), due):
            what = f"{name} is {due}, the second decision looked at {event.known.get(name)}"
            yield "response_differs", what


def _now(study: Study, person: UntrustedRow) -> dict[str, Any]:
    """Return what the rule looks at as the table has it; questions with several values are left to the log."""
    asked = {q.id: q for stage in study.stages for q in stage.asked if q.kind not in ("multiple", "ranking", "matrix")}
    columns = {name: question_column(asked[name]) if name in asked else name for name in study.second_decision.rests_on}
    return {
        name: person.values[column]
        for name, column in columns.items()
        if column in person.values and (name in asked or name.endswith(("_points", "_score")))
    }


def _same(one: Any, two: Any) -> bool:
    # Without True and False, which Python counts as 1 and 0: an answer of yes is not the number 1.
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, two))
    return bool(abs(one - two) <= 1e-9 if numbers else one == two)
