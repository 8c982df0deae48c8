"""The one place that judges a study as a trial; `check`, `launch`, `amend`, `power` and `rehearse` refuse by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from study_app.cli.common import err
from study_app.content.library import FolderLibrary
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.quiz.items import Bank
from study_app.domain.study.clusters import stratum_warnings
from study_app.domain.study.comparing.assistants_met import assistant_warnings
from study_app.domain.study.comparing.delayed_outcomes import quiz_warnings
from study_app.domain.study.comparing.treatment_orders import order_warnings
from study_app.domain.study.contradictions.drawing import size_warnings
from study_app.domain.study.contradictions.everything import contradictions
from study_app.domain.study.designs import design_problems, used_by
from study_app.domain.study.study import Study
from study_app.services.researcher.fitness import content_problems


def trial_problems(library: FolderLibrary, file: str) -> list[Problem]:
    """Return what a study file says that no trial could do, and what its plan could never compute.

    Args:
        library: of a valid study; banks that cannot be read are taken as not known.
        file: the study file as the user named it.
    """
    from analysis.pipeline.planning.plan_check import study_plan_problems

    study = library.study

    def bank_of(folder: str) -> Bank | None:
        try:
            return library.bank(folder)
        except ProblemsFound:
            return None

    try:
        acts = library.acts
    except ProblemsFound:
        acts = False
    return [*contradictions(study, file), *study_plan_problems(study, bank_of, file, acts=acts)]


def trial_warnings(study: Study) -> Iterator[str]:
    """Yield the same with what is said of periods, quizzes and clusters, which a launch takes as known."""
    yield from order_warnings(study)
    yield from quiz_warnings(study)
    yield from stratum_warnings(study)
    yield from unused_warnings(study)


def unused_warnings(study: Study) -> Iterator[str]:
    """Yield what a valid study file says and nothing uses, or what it compares with a reservation."""
    from analysis.pipeline.planning.key_check import unadjusted_warnings
    from study_app.dataset.schema.outcome_fit import course_warnings
    from study_app.dataset.schema.reach import subgroup_warnings

    yield from unadjusted_warnings(study)
    yield from course_warnings(study)
    yield from subgroup_warnings(study)
    yield from assistant_warnings(study)
    yield from size_warnings(study)


def require_plannable(study: Study, path: Path) -> None:
    """Refuse to simulate a trial that `check` or `launch` refuses as a trial; what it warns of goes to stderr.

    What only real participants need (an ethics number, a way in, texts) is not asked for: plans are made before it.

    Raises:
        ProblemsFound: every problem.
    """
    file = str(path)
    library = FolderLibrary(study, path.resolve().parent, file)
    problems = [*design_problems(used_by(study), "power", file), *trial_problems(library, file)]
    # Content may not be there yet: who needs it says so, and what rests on it cannot be judged.
    with suppress(ProblemsFound):
        problems += content_problems(study, library, file)
    if problems:
        raise ProblemsFound(sorted(set(problems)))
    for warning in trial_warnings(study):
        err.print(f"warning: {file}: {warning}", markup=False)
