"""The way through a study: stages that end it early, sessions that no one comes to, texts that no page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from study_app.domain.study.contradictions.kinds import Finding
from study_app.domain.study.study import Study

ONCE = {
    "consent": "people agree once, on the way in, and a place is reserved there",
    "debrief": "people who reach the first of them have completed the study, so nothing behind it is met",
}


def course_of_stages_problems(study: Study) -> Iterator[Finding]:
    """Yield what is wrong with the order of stages and sessions, and texts of arms that no stage shows."""
    for kind, why in ONCE.items():
        stages = [stage.id for stage in study.stages if stage.kind == kind]
        if len(stages) > 1:
            yield f"stages.{stages[0]}.kind", f"{' and '.join(stages)} are of kind {kind}; {why}", "keep one of them"
    first = study.allocation_stage
    for stage in study.stages[study.stages.index(first) :] if first is not None else ():
        if stage.kind == "eligibility":
            what = "it turns people away who have an arm already, and an arm can change who is turned away"
            yield f"stages.{stage.id}", what, "move it before the first stage that differs by arm"
    for stage in study.before_allocation if first is not None else ():
        if stage.exit:
            what = "it is asked before allocation, and its columns would stand behind the outcomes"
            yield f"stages.{stage.id}.exit", what, "remove exit = true, or move it behind the outcomes"
    yield from _sessions(study)
    yield from _tasks(study)
    yield from _texts(study)


def _sessions(study: Study) -> Iterator[Finding]:
    ids = [session.id for session in study.sessions]
    for name, count in Counter(ids).items():
        if count > 1:
            yield "sessions", f"'{name}' is declared {count} times, and only the first counts", "rename one of them"
    used = {stage.session for stage in study.stages}
    for session in study.sessions:
        key = f"sessions.{session.id}"
        if session.id not in used:
            yield key, "no stage belongs to it", f'say session = "{session.id}" in some stages, or remove it'
        twice = [days for days, count in Counter(session.remind_days).items() if count > 1]
        if twice:
            yield f"{key}.remind_days", f"{twice[0]:g} is there twice", "name each day once"
    if study.sessions[0].delay_days:
        what = "the first session opens when people enter the study, so there is no delay"
        yield f"sessions.{study.sessions[0].id}.delay_days", what, "leave it to later sessions"


def _tasks(study: Study) -> Iterator[Finding]:
    """Tasks that are named twice on a stage, and orders of one task."""
    for stage in study.stages:
        key = f"stages.{stage.id}.packs"
        if stage.shuffle and stage.kind == "tasks" and len(stage.packs) < 2:
            yield f"stages.{stage.id}.shuffle", "there is one task, so there is no order to draw", "remove it"
        for folder, count in Counter(stage.packs).items():
            if count > 1:
                yield key, f"{folder} is there {count} times", "name each task once"


def _texts(study: Study) -> Iterator[Finding]:
    """Instructions and pledges of arms, and of second treatments, that no stage shows."""
    shows = [stage for stage in study.stages if stage.kind == "instructions"]
    for arm in study.arms:
        met = [stage for stage in shows if not stage.arms or arm.id in stage.arms]
        for key in ("instructions", "pledge") if not met else ():
            if getattr(arm, key):
                what = "no stage of kind instructions is for this arm, so no one reads it"
                yield f"arms.{arm.id}.{key}", what, "add such a stage, or remove it"
    later = [stage for stage in shows if study.after_second_decision(stage)]
    for treatment in study.second_decision.treatments if not later else ():
        for key in ("instructions", "pledge"):
            if getattr(treatment, key):
                what = f"no stage of kind instructions follows '{study.second_decision.stage}', so no one reads it"
                remedy = "add such a stage, or decide on the way into one"
                yield f"second_decision.treatments.{treatment.id}.{key}", what, remedy
