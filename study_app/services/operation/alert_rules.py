"""What an alert is raised for: each condition of the study file, looked at in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from study_app.domain.interviews.machine import DISTRESS_POSSIBLE, DISTRESS_SEEN
from study_app.domain.study.operating.alerts import Alerts
from study_app.domain.trial_state import State
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.operation.clock_watch import clock_alert
from study_app.services.operation.isolation_watch import isolation_alert
from study_app.services.operation.models.board import newest
from study_app.services.operation.models.kept import rounds
from study_app.services.operation.models.replacing import replaced_now
from study_app.services.operation.server_watch import servers_gone
from study_app.services.participant_status import has_people_to_come
from study_app.services.places import RESUMED_RECRUITMENT, places_taken, recruitment_paused
from study_app.services.replicas import SERVER_GONE
from study_app.services.spending import spent_usd

NOT_FAILED = frozenset({None, "refused", "interrupted"})
"""Of a turn's error: the model declined, or a server of ours was stopped; the provider did answer."""
WAITS_TOO_LONG = timedelta(minutes=10)
"""A submission without a verdict for so long: grading takes seconds, and pauses between attempts two minutes."""
DISTRESS_SHOWN = timedelta(hours=24)
OF_MACHINE = frozenset({"isolation", "clock_step", "disk"})
"""Kinds that are looked at in every state of a study."""
STEP_SHOWN = timedelta(minutes=2)
"""A step of the clock that was taken over is over at once; it counts for so long, so that it is seen."""


@dataclass(frozen=True)
class Machine:
    """Where this server runs."""

    name: str
    free_bytes: Callable[[], int]
    """Of the disk that holds what the study writes."""


def conditions(context: StudyContext, unit: UnitOfWork, machine: Machine) -> dict[str, str | None]:
    """Return each kind of alert that the study file asks for: a sentence while its condition holds, else None.

    A kind that concerns one machine carries its name, since several may serve one study. Nothing here tells of one
    participant, of an arm, or of an amount that moves with one.
    """
    rules, state = context.study.alerts, context.state(unit)
    found: dict[str, str | None] = {}
    if has_people_to_come(context, unit):
        found.update(_of_trial(context, unit, rules, state))
    if rules.isolation:
        found["isolation"] = isolation_alert(unit)
    if rules.clock_step:
        found["clock_step"] = _clock(unit, context.now())
    if rules.disk_free_gb is not None:
        found[f"disk:{machine.name}"] = _disk(rules.disk_free_gb, machine)
    return found


def kinds_asked_for(
    context: StudyContext, unit: UnitOfWork, found: Mapping[str, object], *, first: bool
) -> Callable[[str], bool]:
    """Return what says of a kind that lasts whether it is still looked at.

    Args:
        context: the study.
        unit: where its state is read.
        found: what `conditions` returned.
        first: also what the table of the study file leaves out counts as not asked for.
    """
    over = not has_people_to_come(context, unit)
    rules = context.study.alerts

    def asked(kind: str) -> bool:
        part = kind.partition(":")[0]
        # Of another machine's disk that machine tells.
        if kind in found or (part == "disk" and rules.disk_free_gb is not None):
            return True
        return not (first or (over and part not in OF_MACHINE))

    return asked


def _of_trial(context: StudyContext, unit: UnitOfWork, rules: Alerts, state: State) -> Iterator[tuple[str, str | None]]:
    if rules.nobody_enrolled_hours is not None:
        idle = _enrolment(context, unit, timedelta(hours=rules.nobody_enrolled_hours)) if state == "launched" else None
        yield "nobody_enrolled", idle
    if any(stage.kind == "interview" for stage in context.study.stages):
        yield "distress", _distress(unit, context.now())
        yield "possible_distress", _possible_distress(unit, context.now())
    if rules.failed_replies is not None:
        yield "provider", _provider(unit, rules.failed_replies)
    if rules.failed_runs is not None:
        yield "failed_runs", _running(unit, rules.failed_runs, context.now())
    if rules.server_gone:
        yield from servers_gone(unit, context.now())
    if rules.model_retires:
        yield "model_retires", _retiring(context, unit) if state == "launched" else None
        yield "model_replaced", _replaced(context, unit)
    if rules.model_drift:
        yield "model_drift", _drift(unit)
    limit = context.study.assistant_policy.study_cost_limit
    if rules.budget_share is not None and limit is not None:
        yield "budget", _budget(context, unit, rules.budget_share, limit)


def _enrolment(context: StudyContext, unit: UnitOfWork, hours: timedelta) -> str | None:
    real = [person for person in unit.participants() if person.kind == "real"]
    # While enrolment is closed nothing is wrong: an alert that is always there is not read.
    if recruitment_paused(unit) is not None or places_taken(context, unit) >= context.study.recruitment.target_n:
        return None
    launched = unit.meta("launched_at")
    moments = [person.enrolled_at for person in real[-1:]]
    moments += [datetime.fromisoformat(launched)] if launched else []
    # Hours count from when people could last come in, or a pause of a week would raise the alert at its end.
    moments += [entry.at for entry in unit.audit_of([RESUMED_RECRUITMENT])]
    if not moments or context.now() - max(moments) < hours:
        return None
    return (
        f"No participant has enrolled since {max(moments):%Y-%m-%d %H:%M} UTC, and enrolment is open. Look at the "
        "recruiting site, and open the study's address yourself."
    )


def _distress(unit: UnitOfWork, now: datetime) -> str | None:
    count = sum(now - entry.at < DISTRESS_SHOWN for entry in unit.audit_of([DISTRESS_SEEN]))
    if not count:
        return None
    return (
        f"{count} interview(s) ended within a day because an answer held words of distress. The console's audit page "
        "names the participant; follow your protocol for such cases."
    )


def _possible_distress(unit: UnitOfWork, now: datetime) -> str | None:
    entries = [entry for entry in unit.audit_of([DISTRESS_POSSIBLE]) if now - entry.at < DISTRESS_SHOWN]
    if not entries:
        return None
    return (
        f"{len(entries)} interview answer(s) within a day hold words that may be of distress; the interview went on. "
        "The console's audit page names participant and question: read the answer, and follow your protocol."
    )


def _provider(unit: UnitOfWork, failures: int) -> str | None:
    last = unit.latest_turn_errors(failures)
    if len(last) < failures or any(error in NOT_FAILED for error in last):
        return None
    return (
        f"The last {failures} replies of the assistant failed (last: {last[0]}). Look at the provider's status "
        "page and at the key's account; participants get the lost time back."
    )


def _running(unit: UnitOfWork, failures: int, now: datetime) -> str | None:
    # What a server that is gone left behind is that server's incident, and says nothing of the others.
    last = unit.latest_runs_failed(failures, now - WAITS_TOO_LONG, SERVER_GONE)
    if len(last) < failures or not all(last):
        return None
    return (
        f"The server could not run or grade the last {failures} programs of participants, through no fault of theirs. "
        "Look at the server's log, and run study doctor there; what was submitted is kept, and graded once that works."
    )


def _retiring(context: StudyContext, unit: UnitOfWork) -> str | None:
    """Return what today's looks say of models that end before recruitment does."""
    ends_on, now = context.study.recruitment.ends_on, context.now()
    # Days count down: an incident keeps the words with which it began.
    found = [line for each in newest(unit) if (line := each.warning(now, ends_on))]
    return " ".join(dict.fromkeys(found)) or None


def _replaced(context: StudyContext, unit: UnitOfWork) -> str | None:
    """Return which treatments a recording answers by now: from then on the treatment is another."""
    found = replaced_now(context, unit)
    if not found:
        return None
    named = "; ".join(f"{each.treatment} is {each.summary}" for each in found)
    return (
        f"A recording answers participants in a model's place ({named}). Decide whether enrolment goes on: later "
        "participants meet another treatment, which the report shows beside the first."
    )


def _drift(unit: UnitOfWork) -> str | None:
    """Return what the newest round of questions found other than at the launch, or than the study file says."""
    ended = [each for each in rounds(unit) if each.ended_at and each.replies > each.failed]
    if not ended or not ended[-1].drifts:
        return None
    parts = (f"{name}: {', '.join(what)}" for name, what in sorted(ended[-1].drifts.items()))
    return (
        f"The models do not answer as declared, or not as at the launch ({'; '.join(parts)}). Look at study models; "
        "later participants may meet another treatment."
    )


def _budget(context: StudyContext, unit: UnitOfWork, share: float, limit: float) -> str | None:
    if spent_usd(unit, context.content, "real") < share * limit:
        return None
    return (
        f"Assistants and interviews have used {share:.0%} of the study's {limit:g} US dollars "
        "(assistant_policy.study_cost_limit). At the limit participants cannot ask any more, and "
        "rules ask in interviews."
    )


def _disk(least_gb: float, machine: Machine) -> str | None:
    if machine.free_bytes() >= least_gb * 1e9:
        return None
    return f"Less than {least_gb:g} GB are free on {machine.name}. Make room before nothing can be stored any more."


def _clock(unit: UnitOfWork, now: datetime) -> str | None:
    step = clock_alert(unit)
    if step is None or not (step.state == "away" or (step.state == "taken" and now - step.at < STEP_SHOWN)):
        return None
    text = str(step)
    return f"{text[0].upper()}{text[1:]}."
