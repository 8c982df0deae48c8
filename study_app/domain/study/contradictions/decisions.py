"""A second decision against what comes before it: responses that nothing of the treatment shows, outcomes too early."""

from __future__ import annotations

from collections.abc import Iterator

from study_app.domain.study.contradictions.kinds import Finding
from study_app.domain.study.study import Stage, Study


def decision_problems(study: Study) -> Iterator[Finding]:
    """Yield what of a second decision, or of the plan, looks at the wrong side of a randomisation."""
    second, first = study.second_decision, study.allocation_stage
    if not second or first is None:
        return
    start, at = study.stages.index(first), study.stages.index(study.stage(second.stage))
    during = {name for stage in study.stages[start:at] for name in _measures(stage)}
    if second.rests_on and not during & set(second.rests_on):
        listed = ", ".join(second.rests_on)
        what = f"{listed} is known before the first treatment, so no one responds to that"
        yield "second_decision.responds", what, "name a quiz or a question between the two allocations"
    early = {name for stage in study.stages[:at] for name in _measures(stage)}
    for name in study.analysis.primary:
        column = study.analysis.outcome(name).name
        if column in early:
            what = f"'{name}' is measured before '{second.stage}', so no second treatment can change it"
            yield "analysis.primary", what, "name an outcome that is measured after the second decision"


def _measures(stage: Stage) -> set[str]:
    """Return columns that a stage gives."""
    found = {question.id for question in stage.asked} | {score.id for score in stage.scores}
    return found | ({f"{stage.id}_{end}" for end in ("points", "score")} if stage.kind == "quiz" else set())
