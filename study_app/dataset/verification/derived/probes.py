"""Probes of affect: the table as the log has it, each planned, shown once, at its minute, and as long as declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study_app.dataset.measures.affect.probes import probe_rows, ran_until
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.verification.derived.comparing import beside_cluster, by_log, compare_rows
from study_app.domain.events import saying
from study_app.domain.events.browser import Edit
from study_app.domain.events.server import ProbeAnswered, StageReopened
from study_app.domain.interaction.asked_probes import AskedProbe, asked_probes
from study_app.domain.study.task_conditions.probes import PROBE_SECONDS, ScheduledProbe

SLACK = 0.05
"""Seconds; moments are kept to the millisecond."""
TYPED_BEFORE = 5.0
"""Seconds after which an edit was made on the card's time: earlier ones may have been on their way."""
Breach = tuple[str, str]
"""Name of the finding, and what is wrong."""


def check_probes(opened: UntrustedDataset, record: ParticipantRecord, rows: Sequence[UntrustedRow]) -> None:
    """Hold one participant's probes against the log, and the log's own word against the study."""
    name, asked = record.participant.id, asked_probes(record.events)
    if "probes" not in opened.files:
        if asked:
            opened.report.add("probes_missing", "", None, f"{name}: the log knows {len(asked)} probes")
        return
    due = list(probe_rows(record))
    compare_rows(
        opened,
        "probes",
        rows,
        due,
        columns=beside_cluster(opened.tables["probes"].columns),
        finding="probe_differs",
        sentence=by_log,
        number=f"{name}: {len(rows)} probes in the table, the log gives {len(due)}",
    )
    for breach, what in (*_breaches(record, asked), *_unanswerable(record, asked), *_never_shown(record, asked)):
        opened.report.add(breach, opened.relative("probes"), None, f"{name}: {what}")


def _breaches(record: ParticipantRecord, asked: Sequence[AskedProbe]) -> Iterator[Breach]:
    """Yield what the platform did otherwise than the study says."""
    seen: set[tuple[str, float]] = set()
    for probe in asked:
        minute, where = probe.shown.minute, f"minute {probe.shown.minute:g} of '{probe.stage}'"
        plan = _planned(record, probe)
        visit = record.visit(probe.stage)
        if plan is None or not plan.meets(probe.shown.task):
            yield "probe_unplanned", f"{where}: the study plans no probe there while '{probe.shown.task}' is on"
        elif visit is not None and ran_until(record, visit, probe.shown_at) < minute * 60 - SLACK:
            yield "probe_early", f"{where}: it was shown at {probe.shown_at}, before that minute"
        if (probe.stage, minute) in seen:
            yield "probe_repeated", f"{where}: it was shown a second time"
        seen.add((probe.stage, minute))
        if max(probe.shown.seconds, probe.seconds) > PROBE_SECONDS + SLACK:
            yield "probe_too_long", f"{where}: the clock stood for {max(probe.shown.seconds, probe.seconds):g} s"


def _planned(record: ParticipantRecord, probe: AskedProbe) -> ScheduledProbe | None:
    scheduled = record.study.probes_at(probe.stage)
    return next((each for each in scheduled if each.minute == probe.shown.minute), None)


def _unanswerable(record: ParticipantRecord, asked: Sequence[AskedProbe]) -> Iterator[Breach]:
    """Yield answers to nothing, answers whose time cannot be theirs, and work that the clock stood still for."""
    taken = [probe.answered for probe in asked if probe.answered is not None]
    for event, answer in saying(record.events, ProbeAnswered):
        if not any(answer is each for each in taken):
            yield (
                "probe_answer_unasked",
                f"an answer to minute {answer.minute:g} of '{event.stage}', not open then",
            )
    for probe in asked:
        if probe.answered is not None and probe.answered_at is not None:
            lasted = probe.stood(probe.answered_at)
            if abs(lasted - probe.answered.seconds) > SLACK:
                yield (
                    "probe_time_differs",
                    f"minute {probe.shown.minute:g} of '{probe.stage}': the clock stood for "
                    f"{probe.answered.seconds:g} s, shown and answered lie {lasted:g} s apart",
                )
        yield from _worked(record, probe)


def _worked(record: ParticipantRecord, probe: AskedProbe) -> Iterator[Breach]:
    moments = zip(record.moments, record.events, strict=True)
    start = probe.shown_at.timestamp()
    edits = [
        at
        for at, event in moments
        if isinstance(event.details, Edit)
        and event.details.how != "agent"
        and TYPED_BEFORE < at - start < probe.seconds
    ]
    if edits:
        what = f"{len(edits)} edits while minute {probe.shown.minute:g} of '{probe.stage}' was on and the clock stood"
        yield "worked_during_probe", what


def _never_shown(record: ParticipantRecord, asked: Sequence[AskedProbe]) -> Iterator[Breach]:
    """Yield the probes whose minute came and that no page asked for: a closed or hidden tab, or a blocked request."""
    for visit in record.visits:
        # A stage that was reopened ran in two pieces: from the visit it cannot be said which minutes came.
        reopened = any(event.stage == visit.stage for event, _ in saying(record.events, StageReopened))
        if visit.ended_at is None or reopened:
            continue
        # Without pauses and outages as well: `ran_until` takes off what the probes took, and nothing else.
        ran = ran_until(record, visit, visit.ended_at) - max(
            (record.paused(visit) or 0.0) - sum(each.seconds for each in asked if each.stage == visit.stage), 0.0
        )
        shown = [probe.shown.minute for probe in asked if probe.stage == visit.stage]
        for plan in record.study.probes_at(visit.stage):
            # One that is for some tasks comes while they are on, of which the visit says nothing.
            if not plan.tasks and plan.minute not in shown and ran > plan.minute * 60 + TYPED_BEFORE:
                yield (
                    "probe_not_shown",
                    f"minute {plan.minute:g} of '{visit.stage}' came, and no page asked",
                )
