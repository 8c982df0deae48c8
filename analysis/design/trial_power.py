"""Power of a planned trial: analytic, and simulated under its own allocation scheme with its own kind of test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config
from numpy.typing import NDArray

from analysis.design.power import t_test_power
from study_app.domain.allocation import Scheme
from study_app.domain.errors import UserError
from study_app.domain.study.study import Study
from study_app.rerandomisation import replicate
from study_app.rerandomisation.scheme_properties import scheme_properties

DEFAULT_EFFECTS = (0.5, 0.738)
"""Cohen's medium effect, and the published study's."""
REPLICATES = 499
"""Re-randomisations a simulated trial; with them a 5 % test has exactly its level."""
BATCH = 50
"""Simulated trials per piece of work, each with a seed of its own: the same answer for any number of workers."""
ALPHA = 0.05


def trial_power(
    study: Study,
    *,
    sizes: Sequence[int] | None = None,
    effects: Sequence[float] | None = None,
    sims: int = 1000,
    workers: str = "2",
    seed: int = 1,
) -> dict[str, Any]:
    """Power of the first treated arm against control, for each size and standardised effect.

    Analytic: the two-sample t test. Simulated: normal outcomes with one standard deviation in both arms, allocated by
    the study's scheme, decided by the studentised re-randomisation test under that scheme.

    Args:
        study: arms, scheme, planned n.
        sizes: total numbers of allocated participants; None takes the study's target.
        effects: standardised differences.
        sims: simulated trials for each row.
        workers: number of processes, or `tcp://HOST:PORT` of a Dask scheduler.
        seed: of the simulation.

    Returns:
        JSON types: `power` (n, effect, analytic, simulated, mc_error, sims) and `schemes` (method, chosen,
        mean_imbalance, imbalance_95, predictability) at the first size.

    Raises:
        UserError: the study has one arm, an effect is not finite, or workers is neither number nor address.
    """
    if len(study.arms) < 2:
        raise UserError("arms: there is only one, so there is nothing to compare; add a control arm")
    chosen_sizes = list(sizes or [study.recruitment.target_n])
    chosen_effects = list(effects or DEFAULT_EFFECTS)
    if not all(np.isfinite(chosen_effects)):
        raise UserError("--effect: not a finite number; give a standardised difference such as 0.5")
    margins = margins_of(study)
    cells = [(n, d) for n in chosen_sizes for d in chosen_effects]
    jobs = [
        (cell, batch, min(BATCH, sims - batch * BATCH))
        for cell in range(len(cells))
        for batch in range(-(-sims // BATCH))
    ]
    counts = _run(study, margins, cells, jobs, workers, seed)
    rejected = [0] * len(cells)
    for (cell, _, _), count in zip(jobs, counts, strict=True):
        rejected[cell] += count
    rows = [_row(study, n, d, rejected[index], sims) for index, (n, d) in enumerate(cells)]
    return {"power": rows, "schemes": _schemes(study, chosen_sizes[0], margins, seed), "alpha": ALPHA}


def margins_of(study: Study) -> dict[str, dict[Any, float]]:
    """Equal shares for the answers to each question that the scheme looks at; before data nothing better is known."""
    questions = {question.id: question for stage in study.stages for question in stage.asked}
    found: dict[str, dict[Any, float]] = {}
    for name in study.allocation.variables:
        question = questions.get(name)
        if question is not None and question.options:
            found[name] = {option.value: 1.0 for option in question.options}
        elif question is not None and question.low is not None and question.high is not None:
            found[name] = dict.fromkeys(range(question.low, question.high + 1), 1.0)
        else:
            found[name] = dict.fromkeys(range(1, 11), 1.0)
    return found


def _run(
    study: Study,
    margins: Mapping[str, Mapping[Any, float]],
    cells: Sequence[tuple[int, float]],
    jobs: Sequence[tuple[int, int, int]],
    workers: str,
    seed: int,
) -> list[int]:
    arms = [(arm.id, arm.weight) for arm in study.arms]
    treated = next(index for index, arm in enumerate(study.arms) if arm.id != study.control.id)
    control = next(index for index, arm in enumerate(study.arms) if arm.id == study.control.id)
    calls = [
        delayed(_trials)(study.allocation, arms, margins, *cells[cell], size, (treated, control), [seed, cell, batch])
        for cell, batch, size in jobs
    ]
    if workers.startswith(("tcp://", "tls://")):
        return _on_cluster(calls, workers)
    if not workers.isdigit() or int(workers) < 1:
        raise UserError(f"--workers: '{workers}' is neither a number nor an address; give 2 or tcp://HOST:PORT")
    return list(Parallel(n_jobs=int(workers))(calls))


def _on_cluster(calls: Any, address: str) -> list[int]:
    try:
        from distributed import Client
    except ImportError:
        raise UserError(
            "--workers: the extra 'cluster' is not installed; run pip install 'study-app[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=10)
    except OSError as error:
        raise UserError(f"--workers: {address} does not answer ({error}); start a Dask scheduler there") from None
    with client, parallel_config(backend="dask", wait_for_workers_timeout=30):
        return list(Parallel()(calls))


def _trials(
    scheme: Scheme,
    arms: Sequence[tuple[str, int]],
    margins: Mapping[str, Mapping[Any, float]],
    n: int,
    effect: float,
    count: int,
    contrast: tuple[int, int],
    seed: Sequence[int],
) -> int:
    """How many of `count` simulated trials reject at 5 %."""
    from study_app.domain.allocation.arms import Arm

    rng = np.random.default_rng(np.random.SeedSequence(list(seed)))
    people = [Arm(id=name, weight=weight) for name, weight in arms]
    rejected = 0
    for _ in range(count):
        profiles = [
            {name: list(shares)[rng.integers(len(shares))] for name, shares in margins.items()} for _ in range(n)
        ]
        drawn = replicate(scheme, profiles, REPLICATES + 1, rng, arms=people)
        outcome = rng.standard_normal(n) + effect * (drawn[0] == contrast[0])
        statistic = np.abs(studentised(outcome, drawn, *contrast))
        rejected += bool((1 + np.sum(statistic[1:] >= statistic[0] - 1e-12)) / (REPLICATES + 1) <= ALPHA)
    return rejected


def studentised(
    outcome: NDArray[np.float64], drawn: NDArray[np.int8], treated: int, control: int
) -> NDArray[np.float64]:
    """Welch's statistic of every assignment; 0 where an arm holds fewer than two people.

    Args:
        outcome: shape (people,).
        drawn: arm positions, shape (assignments, people).
        treated: position of the treated arm.
        control: position of the control arm.
    """
    means, errors = [], []
    for arm in (treated, control):
        inside = (drawn == arm).astype(float)
        size = inside.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = inside @ outcome / size
            variance = (inside @ outcome**2 - size * mean**2) / (size - 1)
            means.append(mean)
            errors.append(variance / size)
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = (means[0] - means[1]) / np.sqrt(errors[0] + errors[1])
    return np.nan_to_num(statistic, nan=0.0, posinf=0.0, neginf=0.0)


def _row(study: Study, n: int, effect: float, rejected: int, sims: int) -> dict[str, Any]:
    total = sum(arm.weight for arm in study.arms)
    treated = next(arm for arm in study.arms if arm.id != study.control.id)
    sizes = (n * treated.weight / total, n * study.control.weight / total)
    share = rejected / sims
    return {
        "n": n,
        "effect": effect,
        "analytic": t_test_power(d=effect, n=sizes[0], n2=sizes[1]),
        "simulated": share,
        "mc_error": float(np.sqrt(share * (1 - share) / sims)),
        "sims": sims,
    }


def _schemes(study: Study, n: int, margins: Any, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(np.random.SeedSequence([seed, 2**31]))
    found = scheme_properties(study.allocation, study.arms, n, margins=margins, rng=rng)
    return [
        {
            "method": scheme["method"],
            "chosen": scheme["chosen"],
            "mean_imbalance": scheme["imbalance"]["overall"]["mean"],
            "imbalance_95": scheme["imbalance"]["overall"]["p95"],
            "predictability": scheme["predictability"]["mean"],
            "chance": found["chance"],
        }
        for scheme in found["schemes"]
    ]
