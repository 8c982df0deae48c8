"""What the console shows of the trial: read only, and of arms nothing that the trial's state does not allow.

Everything the console shows of participants comes through `Monitor`; `arms_visible` is the one rule about arms, and
`masked` the one place that applies it. Of a real participant before the trial is unsealed the views hold neither arm,
stratum nor place in the ledger, and nothing that exists in some arms only (turns, queries, tokens, refusals).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from study_app.dataset.measures.fidelity import leaks_by_treatment
from study_app.dataset.measures.record import Content
from study_app.domain.assistants.fidelity import LeakShare
from study_app.domain.branching import arm_only, seen_at
from study_app.domain.records import AuditEntry, Kind, Participant, Turn, Visit
from study_app.domain.study.study import Stage, Study
from study_app.domain.trial_state import State, hides_arms
from study_app.ports import Stay, UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.levelling.boards import given_back_to, levelled_stays, shown_elsewhere
from study_app.services.levelling.times import given_at_end, in_given_time, stage_shown
from study_app.services.operation.alert_watch import Incident, incidents
from study_app.services.operation.clock_watch import shown_alert
from study_app.services.operation.isolation_watch import isolation_alert
from study_app.services.participant_status import current_status
from study_app.services.reasons import readable
from study_app.services.researcher.console_views import LinkUse, Overview, ParticipantSummary, StageCount, stage_counts
from study_app.services.researcher.judging.unblinding import UNBLINDED, has_looked_at, unblinded
from study_app.services.researcher.lifecycle import Lifecycle
from study_app.services.researcher.panel.due import DuePerson, due_as_shown
from study_app.services.researcher.reopening import reopenable
from study_app.services.spending import ModelCost, costs_by_model, spent_usd

STATUSES = ("in_progress", "completed", "screened_out", "declined", "withdrawn", "abandoned", "excluded")


def arms_visible(state: State, kind: Kind) -> bool:
    """Return whether the console may tell arms of such participants: real ones only once the trial is unsealed."""
    return not hides_arms(state, kind)


def _no_code(context: StudyContext) -> bool:
    """Return whether the study has a treatment that must not give code."""
    return any(not spec.gives_code for spec in context.content.specs.values())


def treatment_leaks(
    context: StudyContext, people: Sequence[Participant], turns: Sequence[Turn]
) -> dict[str, LeakShare]:
    """Of each treatment that must not give code, by name and version: how many replies to these people do."""
    known = {person.id for person in people}
    mine = [turn for turn in turns if turn.participant_id in known]
    specs = {spec.id: spec for spec in context.content.specs.values()}
    found = leaks_by_treatment(mine, specs, context.study, Content(context.content)) if mine else {}
    return {f"{name}, version {specs[name].version}": share for name, share in found.items()}


def _spent(unit: UnitOfWork, context: StudyContext, kind: Kind, limit: float | None, *, coarse: bool) -> float | None:
    """US dollars that models have used; in tenths of the limit where a figure that moves could tell an arm."""
    if limit is None:
        return None
    spent = spent_usd(unit, context.content, kind)
    # Rounded down: the last tenth is not shown as spent before it is.
    return spent if not coarse else min(10, int(10 * spent / limit)) * limit / 10


def masked(participant: Participant, state: State) -> Participant:
    """Return the participant without whatever would tell the arm, where the state does not allow it."""
    if arms_visible(state, participant.kind):
        return participant
    # The place in the ledger as well: who saw the order of draws could count through the blocks.
    first = replace(participant, arm=None, stratum=None, allocation_index=None, allocated_at=None)
    return replace(first, responded=None, second_treatment=None, second_index=None)


class Monitor:
    """Reads the trial for the console."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def kinds(self) -> list[Kind]:
        """Kinds of participants that are there, the one that matters now first."""
        with self.context.registry.begin(write=False) as unit:
            first: Kind = "preview" if self.context.state(unit) == "draft" else "real"
            there = unit.kinds() | {first}
        kinds: tuple[Kind, ...] = ("real", "preview", "simulated")
        return sorted((kind for kind in kinds if kind in there), key=lambda kind: kind != first)

    def state(self) -> State:
        """Return where the trial's life stands."""
        with self.context.registry.begin(write=False) as unit:
            return self.context.state(unit)

    def overview(self, kind: Kind) -> Overview:
        """Return the trial at a glance, over the participants of one kind."""
        context = self.context
        with context.registry.begin(write=False) as unit:
            state = context.state(unit)
            people, stays = unit.participants_of(kind), unit.stays(kind)
            launched = unit.meta("launched_at")
            commitment = unit.meta("commitment")
            versions = len(unit.versions())
            limit = context.study.assistant_policy.study_cost_limit
            # Read only where it can be shown and means something: the turns of a large trial are many.
            shown = unit.turns() if arms_visible(state, kind) and _no_code(context) else []
            spent = _spent(unit, context, kind, limit, coarse=not arms_visible(state, kind))
            known = _statuses(context, people)
            if not arms_visible(state, kind):
                elsewhere = shown_elsewhere(context, unit, people)
                met = {one.study_hash: context.study_of(unit, one) for one in people}
                stays = levelled_stays(met, people, elsewhere, stays)
                # Few are shown elsewhere than they are, and a copy of each of ten thousand takes time.
                people = [replace(one, stage=elsewhere[one.id]) if one.id in elsewhere else one for one in people]
        statuses = Counter(known.values())
        return Overview(
            state=state,
            study_hash=context.study_hash,
            commitment=commitment,
            launched_at=datetime.fromisoformat(launched) if launched else None,
            versions=versions,
            kind=kind,
            enrolled=len(people),
            allocated=sum(person.arm is not None for person in people),
            target=context.study.recruitment.target_n,
            statuses={status: statuses[status] for status in STATUSES if statuses[status]},
            stages=tuple(self._stages(people, stays, known, arms_visible(state, kind))),
            last_seen_at=max((person.last_seen_at for person in people), default=None),
            arrivals=tuple(sorted(person.enrolled_at for person in people)),
            isolation=context.sandbox.isolation(),
            assistants=tuple(sorted({assistant.id for assistant in context.assistants.values()})),
            database=context.registry.describe(),
            now=context.now(),
            spent_usd=spent,
            cost_limit_usd=limit,
            leaks=treatment_leaks(context, people, shown),
        )

    def _stages(
        self, people: Sequence[Participant], stays: Sequence[Stay], statuses: dict[str, str], shows_arms: bool
    ) -> list[StageCount]:
        """Return counts by stage; stages of some arms only are left out while arms are hidden."""
        study = self.context.study
        if not shows_arms:
            met = {one.study_hash: self.context.known_version(one.study_hash) for one in people}
            only = {name: arm_only(version)[0] for name, version in met.items()}

            def shown(one: Participant) -> Participant:
                place = one.stage in only[one.study_hash]
                return replace(one, stage=seen_at(met[one.study_hash], one.stage)) if place else one

            # Those who are in one count where everybody of their version comes next, as on the board of participants.
            people = [shown(one) for one in people]
            hidden = arm_only(study)[0].union(*only.values())
            study = study.model_copy(update={"stages": tuple(s for s in study.stages if s.id not in hidden)})
        return stage_counts(study, people, stays, statuses)

    def people(self, kind: Kind) -> list[ParticipantSummary]:
        """Participants of one kind, the latest to enrol first."""
        with self.context.registry.begin(write=False) as unit:
            state = self.context.state(unit)
            visits = {(visit.participant_id, visit.stage): visit for visit in unit.visits_of_kind(kind)}
            given = given_back_to(unit, kind) if hides_arms(state, kind) else frozenset()
            found = [
                self._summary(unit, masked(person, state), visits.get((person.id, person.stage)), state, given)
                for person in unit.participants_of(kind)
            ]
        return found[::-1]

    def summaries(self, people: Iterable[Participant]) -> list[ParticipantSummary]:
        """Return these participants as the console may show them, in their order."""
        with self.context.registry.begin(write=False) as unit:
            state = self.context.state(unit)
            return [self._summary(unit, masked(one, state), unit.visit(one.id, one.stage), state) for one in people]

    def _summary(
        self,
        unit: UnitOfWork,
        person: Participant,
        visit: Visit | None,
        state: State,
        given: frozenset[str] | None = None,
    ) -> ParticipantSummary:
        """Return what may be shown of a participant; `given`: all who were given time back, where that is known."""
        study = self.context.study_of(unit, person)
        # Without its arm a person's summary may not say either that they are where only some arms come, or still there
        # in time that only some arms are given back.
        shown = person.stage if person.over or person.arm is not None else seen_at(study, person.stage)
        if visit is not None and not person.over and hides_arms(state, person.kind):
            shown = stage_shown(unit, study, visit, self.context.now())
            visit = visit if shown == seen_at(study, visit.stage) else None
        there = None if person.over else study.stage(shown)
        since = self.context.now() - visit.started_at if visit is not None and not person.over else None
        end = person.finished_at or person.last_seen_at
        if person.over and hides_arms(state, person.kind) and (given is None or person.id in given):
            end -= given_at_end(unit, study, person.id)
        return ParticipantSummary(
            id=person.id,
            kind=person.kind,
            status=current_status(self.context, person),
            stage="" if there is None else there.title or there.id,
            step=self._step(study, person) if visit is not None else "",
            minutes_in_stage=None if since is None else since.total_seconds() / 60,
            minutes_in_all=(end - person.enrolled_at).total_seconds() / 60,
            enrolled_at=person.enrolled_at,
            last_seen_at=person.last_seen_at,
            came_as=person.label or person.prolific_pid or "",
            exclusion_reason=person.exclusion_reason,
            data_withdrawn=person.data_withdrawn,
            arm=person.arm,
            stratum=person.stratum,
            allocation_index=person.allocation_index,
            responded=person.responded,
            second_treatment=person.second_treatment,
            second_index=person.second_index,
            paused_at=person.paused_at,
        )

    def _step(self, study: Study, person: Participant) -> str:
        if person.over:
            return ""
        stage = study.stage(person.stage)
        if stage.kind == "tasks":
            return f"task {person.step + 1} of {len(stage.packs)}"
        if stage.kind == "quiz":
            pages = len(self.context.content.bank(stage.bank).pages_of(stage.form or None))
            return f"page {person.step + 1} of {pages}"
        return ""

    def names(self, kind: Kind) -> dict[str, str]:
        """Return each participant's entry in a list to choose from: id, how they came, status; the latest first."""
        with self.context.registry.begin(write=False) as unit:
            people = unit.participants_of(kind)[::-1]
        known = ((each, current_status(self.context, each).replace("_", " ")) for each in people)
        return {
            each.id: "   ".join(filter(None, (each.id, each.label or each.prolific_pid, status)))
            for each, status in known
        }

    def ungraded(self, older_than: timedelta = timedelta(minutes=1)) -> int:
        """Submissions that wait to be graded for longer than they should."""
        with self.context.registry.begin(write=False) as unit:
            return unit.ungraded_before(self.context.now() - older_than)

    def outages(self, within: timedelta = timedelta(hours=24)) -> int:
        """Return runs that failed through no fault of the program, lately."""
        with self.context.registry.begin(write=False) as unit:
            return unit.failed_runs(self.context.now() - within)

    def reopenable(self, participant_id: str) -> Stage | None:
        """Return the stage that a participant was on last, as far as may be shown, where its deadline ended it."""
        with self.context.registry.begin(write=False) as unit:
            person = unit.participant(participant_id)
            if person is None:
                return None
            study = self.context.study_of(unit, person)
            going_on = in_given_time(self.context, unit, study, person)
            stage = reopenable(study, person, shown_past=going_on)
            visit = unit.visit(participant_id, stage.id) if stage is not None else None
            hidden = () if arms_visible(self.context.state(unit), person.kind) else arm_only(study)[0]
        by_deadline = visit is not None and (visit.ended_by == "deadline" or going_on)
        return stage if by_deadline and stage is not None and stage.id not in hidden else None

    def clock(self) -> str:
        """Return whether the machine's clock can be relied on."""
        with self.context.registry.begin(write=False) as unit:
            alert = shown_alert(unit, self.context.now())
        return "agrees with the server's own count" if alert is None else str(alert)

    def alerts(self) -> list[Incident]:
        """Return the newest incident of each kind that the study file asks to hear of, the latest first."""
        with self.context.registry.begin(write=False) as unit:
            return incidents(unit)

    def paused(self) -> str | None:
        """Return why the study is paused by what isolates programs here, or None."""
        with self.context.registry.begin(write=False) as unit:
            return isolation_alert(unit)

    def preregistration(self) -> tuple[dict[str, Any], str] | None:
        """prereg.json and prereg.md as `launch` made them; None before it."""
        with self.context.registry.begin(write=False) as unit:
            document, text = unit.meta_value("prereg"), unit.meta("prereg_text")
        return None if document is None or text is None else (document, text)

    def audit(self) -> list[AuditEntry]:
        """Return the audit log, newest first."""
        with self.context.registry.begin(write=False) as unit:
            return readable(unit, unit.audit())[::-1]

    def costs(self, kind: Kind) -> list[ModelCost]:
        """Return what models have cost by treatment and interview; nothing while arms are hidden, for they differ."""
        with self.context.registry.begin(write=False) as unit:
            if not arms_visible(self.context.state(unit), kind):
                return []
            return costs_by_model(unit, self.context.content, kind)

    def due(self, kind: Kind) -> list[DuePerson]:
        """Return everybody on their way to a later session, by the day it opens for them."""
        with self.context.registry.begin(write=False) as unit:
            return due_as_shown(self.context, unit, kind, self.context.now())

    def links(self) -> list[LinkUse]:
        """Single-use links in order of making; who used one is not shown."""
        with self.context.registry.begin(write=False) as unit:
            return [LinkUse(link.label, link.created_at, link.participant_id is not None) for link in unit.links()]

    # -- who has seen what ---------------------------------------------------------------------------------------------

    def is_unblinded(self, who: str, what: str) -> bool:
        """Return whether a person's look at this is in the audit log."""
        with self.context.registry.begin(write=False) as unit:
            return has_looked_at(unit, who, what)

    def record_unblinding(self, who: str, what: str, kind: Kind) -> None:
        """Record a person's first look at chats or code: `replay ID`, `queries`, `dataset`; once each.

        Only real participants can be unblinded; a look at the others is not recorded.
        """
        # Without a lock: of two looks at once both are noted, and the first counts anyway.
        if kind == "real" and not self.is_unblinded(who, what):
            Lifecycle(self.context).audit(who, UNBLINDED, "", {"seen": what})

    def unblinded(self) -> list[tuple[str, datetime, int]]:
        """Everybody who has seen chats, code, an arm or a way in of real participants: name, since when, how often."""
        with self.context.registry.begin(write=False) as unit:
            kinds = {person.id: person.kind for person in unit.participants()}
            return unblinded(unit.audit_of((UNBLINDED, "unblind", "unseal")), kinds)


def _statuses(context: StudyContext, people: Iterable[Participant]) -> dict[str, str]:
    now = context.now()
    return {person.id: current_status(context, person, now) for person in people}
