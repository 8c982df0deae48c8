"""What a launch fixes permanently, and what only an amendment changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from study_app.domain.allocation.options import options
from study_app.domain.errors import Problem
from study_app.domain.study.study import Study

FOR_EVER = {
    "schema": "the form of the study file",
    "id": "the study's id",
    "allocation": "how arms are drawn, which the sealed seed's commitment covers",
    "second_decision": "who is randomised again, and how, which the commitment covers too",
    "arms": "which arms there are, their weights, and which is the control",
    "stages": "which quiz is the main one, whose points the columns quiz_... hold,",
}
"""Key of the study file -> what it fixes."""


_BESIDE_THE_TESTS = {
    "analyses", "outcomes", "secondary", "covariates", "estimands", "margins", "subgroups", "stopping",
}  # fmt: skip
"""Of the plan: what is compared apart, in part or under another key, and what leaves the primary rows as they are."""


def _tested(study: Study) -> object:
    """Return everything that decides the primary rows: the plan without what only adds to them or describes them."""
    plan = study.analysis
    rows = [row for row in plan.analyses if row.role == "primary"]
    named = [outcome for outcome in (*plan.outcomes, *plan.secondary) if outcome.id in plan.primary]
    covariates = [entry.model_dump(exclude={"label"}) for entry in plan.covariates]
    return rows, named, covariates, plan.model_dump(exclude=_BESIDE_THE_TESTS)


LOOKED_AT: Mapping[str, tuple[str, Callable[[Study], object]]] = {
    "analysis.stopping": ("when the data are looked at, and the boundaries", lambda study: study.analysis.stopping),
    "analysis.primary": ("what the looks test", _tested),
    "recruitment.target_n": ("the planned information", lambda study: study.recruitment.target_n),
}
"""Key of the study file -> what it fixes once the data were looked at, and how to read it."""


def frozen_problems(locked: Study, now: Study, file: str, *, looked: bool = False) -> list[Problem]:
    """Return what an amendment would have to change and never may.

    Args:
        locked: the study as locked last.
        now: as its file says it.
        file: the study file as the user named it.
        looked: whether a planned look was taken.
    """
    remedy = "undo it: a launch fixes it permanently; for another trial launch another study on another database"
    differing = {
        "schema": locked.schema_ != now.schema_,
        "id": locked.id != now.id,
        "allocation": locked.allocation != now.allocation,
        "second_decision": locked.second_decision != now.second_decision,
        "arms": _arms(locked) != _arms(now),
        "stages": locked.main_quiz is not None and _main_quiz(locked) != _main_quiz(now),
    }
    found = [Problem(file, key, f"{FOR_EVER[key]} changed", remedy) for key, differs in differing.items() if differs]
    after_look = "undo it: an interim look was taken, and a plan that changes after it has no error rate"
    return found + [
        Problem(file, key, f"{what} changed", after_look)
        for key, (what, read) in LOOKED_AT.items()
        if looked and read(locked) != read(now)
    ]


def _arms(study: Study) -> object:
    return options(study.allocation, study.arms), study.control.id


def _main_quiz(study: Study) -> str:
    """Return the main quiz: points of two quizzes in one column would be compared as if they were of one."""
    return study.main_quiz.id if study.main_quiz is not None else ""


def frozen_lines(study: Study, files: int) -> list[str]:
    """Return what a launch of this study freezes, one fact a line.

    For ever first, then what an amendment may change.
    """
    arms = ", ".join(f"{arm.id} ({arm.weight})" + (" control" if arm.control else "") for arm in study.arms)
    scheme = study.allocation.model_dump(mode="json", exclude_defaults=True)
    drawn = ", ".join(f"{key} {value}" for key, value in scheme.items() if key != "method")
    stages = ", ".join(stage.id for stage in study.stages)
    primary = ", ".join(study.analysis.primary) or "none named"
    recruitment = study.recruitment
    return [
        "Fixed permanently:",
        f"  study       {study.id}: {study.title}",
        f"  arms        {arms}",
        f"  allocation  {study.allocation.method}" + (f"; {drawn}" if drawn else ""),
        "  seed        drawn and sealed now, shown by study unseal; nothing that was entered before counts as real",
        "Changed by study amend only, with a reason that the report lists:",
        f"  stages      {stages}",
        f"  outcomes    primary: {primary}",
        f"  enrolment   {recruitment.target_n} participants, by {recruitment.entry}",
        f"  content     {files} files of tasks, quizzes and assistants, and the texts that participants read",
    ]
