"""`study rehearse`: many whole trials of the planned design, on this machine or on a Dask cluster, resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from analysis.pipeline.power.trial_power import simulated_plan
from analysis.pipeline.power.workers import cluster_client, end_with_parent, on_cluster, processes
from study_app import __version__
from study_app.bootstrap import App
from study_app.domain.errors import UserError
from study_app.domain.study.rehearsal.problems import second_effect_problems
from study_app.domain.study.rehearsal.section import NULL, RehearsalLevel, Scenario
from study_app.domain.study.study import Study
from study_app.rehearsal.drawn_people import refuse_what_is_not_drawn
from study_app.rehearsal.figures import figures
from study_app.rehearsal.looks import require_looks_played
from study_app.rehearsal.trials import TrialJob, TrialResult, opened, play
from study_app.simulation.cached_sandbox import Memory
from study_app.simulation.population.amounts import check_used

Progress = Callable[[int, int], None]
_BEGINNING = '{"key": "'
"""Of each line in a file of finished trials."""


def rehearse(
    study_file: Path,
    *,
    trials: int,
    level: RehearsalLevel = "outcomes",
    participants: int | None = None,
    scenarios: Sequence[str] = (),
    extra: Scenario | None = None,
    seed: int = 1,
    workers: str = "2",
    out: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Play trials of each scenario and count what the plan's primary rows say of them.

    The same study, seed and level give the same answer for any number of workers, and for a run that was stopped and
    taken up again.

    Args:
        study_file: the study; with a Dask address it lies at the same path on each worker.
        trials: of each scenario.
        level: `outcomes` draws each person's outcomes; `services` lets everybody live through the real services.
        participants: people who enter each trial; None takes `rehearsal.participants`, else the study's target.
        scenarios: ids of `rehearsal.scenarios`; none takes them all. The trial without effects is always played.
        extra: one scenario more, from the command line.
        seed: of the rehearsal.
        workers: number of processes, or `tcp://HOST:PORT` of a Dask scheduler.
        out: a file of finished trials, one JSON object a line; what it holds already is not played again.
        progress: called with trials done and in all.

    Returns:
        JSON types, see `figures`.

    Raises:
        UserError: a scenario is not declared, the study cannot be compared, workers is neither number nor address, or
            the plan has looks and the level would take none.
        ProblemsFound: at the level of outcomes, the plan needs columns that are not drawn.
    """
    with opened(str(study_file), seed) as (app, _):
        study, digest = app.study, _digest(app)
    if len(study.arms) < 2:
        raise UserError("arms: there is only one, so there is nothing to compare; add a control arm")
    require_looks_played(study.analysis, level)
    if level == "outcomes":
        refuse_what_is_not_drawn(study, _needed(study), str(study_file))
    refuse_second_effects(study, extra)
    if extra is not None:
        check_used(study, extra.effect_score, extra.effect_minutes, extra.noncompliance, 0.0)
    chosen = _chosen(study, scenarios, extra)
    count = participants or study.rehearsal.participants or study.recruitment.target_n
    jobs = [
        TrialJob(str(study_file.resolve()), level, scenario, count, number, seed)
        for scenario in chosen
        for number in range(1, trials + 1)
    ]
    results = _played(jobs, digest, workers, out, progress)
    return figures(study, chosen, results, level=level, participants=count, trials=trials, seed=seed)


def _digest(app: App) -> str:
    """Digest everything but the job that a trial's result depends on."""
    expected = app.study.rehearsal.model_dump_json(exclude={"scenarios", "participants"})
    # Lines of a version that played such trials to their end are not taken for stopped ones.
    looks = ["looks"] if app.study.analysis.stopping.interim else []
    return hashlib.sha256("\n".join([__version__, app.context.study_hash, expected, *looks]).encode()).hexdigest()


def _needed(study: Study) -> list[str]:
    """Return the columns that the primary rows and the allocation read."""
    plan = simulated_plan(study.analysis, len(study.arms))
    found = [entry.column for entry in plan.covariates]
    found += study.allocation.variables
    if study.allocation.method == "sequence":
        return found  # outcomes are those of the periods
    for outcome in plan.outcomes:
        found += [outcome.name, outcome.event or "", outcome.upper_column or ""]
    return found


def refuse_second_effects(study: Study, extra: Scenario | None) -> None:
    """Refuse effects of second treatments from the command line that the study cannot have.

    Raises:
        UserError: each of them.
    """
    treatments = [each.id for each in study.second_decision.treatments]
    found = list(second_effect_problems(extra, treatments)) if extra is not None else []
    if found:
        raise UserError("\n".join(f"--{problem.replace('_', '-', 2)}" for problem in found))


def _chosen(study: Study, ids: Sequence[str], extra: Scenario | None) -> list[Scenario]:
    declared = {scenario.id: scenario for scenario in study.rehearsal.scenarios}
    unknown = [name for name in ids if name not in declared and name != NULL]
    if unknown:
        known = ", ".join(declared) or "none; declare them under [[rehearsal.scenarios]]"
        raise UserError(f"--scenario: '{unknown[0]}' is not declared; the study has: {known}")
    chosen = [declared[name] for name in ids if name in declared] if ids else list(declared.values())
    # The null comes first, always: a power says little without the type I error of the same plan.
    return [Scenario(id=NULL), *chosen, *([extra] if extra is not None else [])]


# -- playing -----------------------------------------------------------------------------------------------------------


def _played(
    jobs: Sequence[TrialJob], digest: str, workers: str, out: Path | None, progress: Progress | None
) -> list[TrialResult]:
    """Return the results in the order of the jobs; each is written down as soon as it is there."""
    keys = {_key(job, digest): job for job in jobs}
    found = {key: result for key, result in _written(out).items() if key in keys}
    left = {key: job for key, job in keys.items() if key not in found}
    tell = progress or (lambda done, total: None)
    tell(len(found), len(jobs))
    if left:
        for key, result in _spread(left, workers):
            found[key] = result
            _write(out, key, result)
            tell(len(found), len(jobs))
    return [found[key] for key in keys]


def _key(job: TrialJob, digest: str) -> str:
    """Return what a trial's result depends on, as a short text."""
    parts = [digest, job.level, job.scenario.model_dump_json(), str(job.participants), str(job.number), str(job.seed)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _written(out: Path | None) -> dict[str, TrialResult]:
    """Return finished trials of an earlier run; a last line that was cut off is taken out, and its trial played again.

    Raises:
        UserError: the file holds something else, which is left as it is.
    """
    found: dict[str, TrialResult] = {}
    if out is None or not out.exists():
        return found
    text = out.read_text(encoding="utf-8")
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            key = entry.pop("key")
            # A line of a version that wrote primary rows alone does not say so.
            found[key] = TrialResult(**entry | {"rows": tuple({"role": "primary"} | row for row in entry["rows"])})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # Also the first line may be cut off; whole, it would end in a newline.
            cut = number == len(lines) and not text.endswith("\n") and line.startswith(_BEGINNING)
            if not cut and (number < len(lines) or not found):
                raise UserError(f"{out}: line {number} is not a rehearsed trial; give another --out") from error
            out.write_text("".join(f"{each}\n" for each in lines[:-1]), encoding="utf-8")
            return found
    if found and not text.endswith("\n"):
        # Cut off between a trial and the end of its line: the next one would be written on to the same line.
        out.write_text(text + "\n", encoding="utf-8")
    return found


def _write(out: Path | None, key: str, result: TrialResult) -> None:
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key} | result.to_json()) + "\n")


def _spread(jobs: dict[str, TrialJob], workers: str) -> Iterator[tuple[str, TrialResult]]:
    if on_cluster(workers):
        yield from _on_cluster(jobs, workers)
        return
    count = processes(workers)
    if count == 1:
        for key, job in jobs.items():
            yield key, played_here(job)
        return
    # Started afresh: a fork of a process with threads can hang.
    fresh = get_context("spawn")
    with ProcessPoolExecutor(min(count, len(jobs)), mp_context=fresh, initializer=end_with_parent) as pool:
        futures = {pool.submit(played_here, job): key for key, job in jobs.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _on_cluster(jobs: dict[str, TrialJob], address: str) -> Iterator[tuple[str, TrialResult]]:
    with cluster_client(address) as client:
        from distributed import as_completed as done

        # Not pure: Dask would take an earlier result for a job with equal arguments, also of another version of the
        # package.
        futures = {client.submit(played_here, job, pure=False): key for key, job in jobs.items()}
        # Without a loop it would look for the default client of this process; this client is not the default.
        for future in done(list(futures), loop=client.loop):
            yield futures[future], future.result()


@cache
def _memory() -> Memory:
    """Return what programs did, kept over all trials of a process."""
    return Memory()


def played_here(job: TrialJob) -> TrialResult:
    """Play one trial in this process, on one thread.

    Raises:
        UserError: the study does not lie at its path on this machine.
    """
    if not Path(job.study_file).exists():
        raise UserError(f"{job.study_file}: not on this worker; put the study at the same path on every machine")
    with threadpool_limits(1):
        return play(job, _memory())
