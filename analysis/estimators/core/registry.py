"""The signature that every method shares, and the promise that data never end in a raw error."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Protocol, get_type_hints

import numpy as np
import pandas as pd

from analysis.estimators.core.argument_kinds import kept, option_problems, shared_problems
from analysis.estimators.core.column_roles import role_problems
from analysis.estimators.core.jackknife import over_clusters
from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.results import Estimate, Estimates
from analysis.estimators.core.validation import AnalysisError, NotEstimable, installed, names
from study_app.domain.errors import Problem

Result = Estimate | list[Estimate]


class Estimator(Protocol):
    """What `analysis.METHODS` holds."""

    __name__: str
    __doc__: str | None
    uses: frozenset[str]
    """The shared arguments that it uses; it refuses the others."""
    of_people: frozenset[str]
    """Its options that take people as independent, which it refuses once they come in clusters."""

    def __call__(
        self,
        data: pd.DataFrame,
        *,
        outcome: str,
        arm: str | None = None,
        control: Any = None,
        covariates: str | Iterable[str] | None = (),
        stratum: str | Iterable[str] | None = None,
        cluster: str | None = None,
        event: str | None = None,
        horizon: float | None = None,
        level: float = 0.95,
        seed: int | None = None,
        frequency: str | None = None,
        **options: Any,
    ) -> Result:
        """Analyse the table; see `docs/reference/methods.md` for each method's formula, options and reference."""


SHARED = ("arm", "control", "covariates", "stratum", "cluster", "event", "horizon")
"""Shared arguments that a method refuses unless it says that it uses them; all take level, seed and frequency."""
REGISTRY: dict[str, Estimator] = {}
_UNFIT = (NotEstimable, np.linalg.LinAlgError, ArithmeticError)
Core = Callable[..., Result]


def method_over_all_arms(uses: str = "", *, without: str = "", jackknife: bool = False) -> Callable[[Core], Estimator]:
    """Register a method that sees all arms at once: `core(trial, **options)`.

    Args:
        uses: the shared arguments that it uses beside arm and control, separated by blanks.
        without: those of arm and control that it does not use.
        jackknife: whether it takes clusters too, its errors then from leaving out one at a time.
    """

    def decorate(core: Core) -> Estimator:
        def run(trial: AnalysisRequest, options: dict[str, Any]) -> Result:
            try:
                return core(trial, **options)
            except _UNFIT as error:
                return _null_rows(trial, _reason(error))

        return _register(core, run, {"arm", "control", *uses.split()} - set(without.split()), jackknife)

    return decorate


def method_per_contrast(uses: str = "", *, jackknife: bool = False) -> Callable[[Core], Estimator]:
    """Register a method that compares one treated arm with the control: `core(pair, **options)`.

    For `uses` and `jackknife` see `method_over_all_arms`.
    """

    def decorate(core: Core) -> Estimator:
        def run(trial: AnalysisRequest, options: dict[str, Any]) -> Result:
            rows: list[Estimate] = []
            for pair in trial.pairs():
                try:
                    found = core(pair, **options)
                except _UNFIT as error:
                    # One contrast that cannot be estimated must not take the others' rows with it.
                    found = pair.estimate(note=f"not estimable: {_reason(error)}")
                rows += found if isinstance(found, list) else [found]
            return unwrap(rows)

        return _register(core, run, {"arm", "control", *uses.split()}, jackknife)

    return decorate


def _reason(error: Exception) -> str:
    """Our own words for why: errors of the arithmetic and of matrices speak to programmers."""
    if isinstance(error, NotEstimable):
        return str(error)
    return "the data do not determine the model (too few rows, or columns that do not vary beyond others)"


def unwrap(rows: list[Estimate]) -> Result:
    """Return a single row as itself."""
    return rows[0] if len(rows) == 1 else Estimates(rows)


def _null_rows(trial: AnalysisRequest, reason: str) -> Result:
    note = f"not estimable: {reason}"
    if trial.arm is None or trial.is_dose or trial.control is None:
        return trial.null(note)
    return unwrap([pair.estimate(note=note) for pair in trial.pairs()])


def _register(
    core: Core, run: Callable[[AnalysisRequest, dict[str, Any]], Result], uses: set[str], jackknife: bool
) -> Estimator:
    uses = uses | {"cluster"} if jackknife else uses
    own = list(inspect.signature(core).parameters.values())[1:]
    known = {parameter.name for parameter in own}
    name, hints = core.__name__, get_type_hints(core)

    def called(
        data: pd.DataFrame,
        *,
        outcome: str,
        arm: str | None = None,
        control: Any = None,
        covariates: str | Iterable[str] | None = (),
        stratum: str | Iterable[str] | None = None,
        cluster: str | None = None,
        event: str | None = None,
        horizon: float | None = None,
        level: float = 0.95,
        seed: int | None = None,
        frequency: str | None = None,
        **options: Any,
    ) -> Result:
        _refuse_unknown(name, options, known)
        covariates, stratum = kept(covariates), kept(stratum)
        options = {key: kept(value, hints[key]) for key, value in options.items()}
        columns = {"outcome": outcome, "arm": arm, "cluster": cluster, "event": event, "frequency": frequency}
        several = {"covariates": covariates, "stratum": stratum}
        wrong = [*shared_problems(columns, several, level, horizon, seed),
                 *option_problems(name, options, hints, clustered=cluster is not None)]  # fmt: skip
        # Roles are of names, so that they are looked at where all of these are names.
        if wrong := wrong or list(role_problems(columns | several, options)):
            raise AnalysisError(wrong)
        given = {
            "arm": arm, "control": control, "covariates": names(covariates), "stratum": names(stratum),
            "cluster": cluster, "event": event, "horizon": horizon,
        }  # fmt: skip
        absent = {key for key, value in given.items() if value is None or (isinstance(value, tuple) and not value)}
        _refuse_unused(name, set(given) - absent - uses)
        if control is not None and arm is None:
            raise AnalysisError.of("control", "is given without arm", "name the column of the arms in `arm`")
        if jackknife and cluster:
            _refuse_of_people(name, options, horizon_missing="horizon" in uses and horizon is None)
        trial = AnalysisRequest(
            data=_expanded(data, frequency), method=name, outcome=outcome, arm=arm, control=control,
            covariates=names(covariates), strata=names(stratum), cluster=cluster, event=event, horizon=horizon,
            level=level, seed=seed,
        )  # fmt: skip
        # A plan runs dozens of methods; what a library would print about one is said in that row's note or refused by
        # name.
        with np.errstate(all="ignore"), warnings.catch_warnings(), installed(name):
            warnings.simplefilter("ignore")
            found = _left_out(trial, run, options) if jackknife and cluster else run(trial, options)
        return Estimates(found) if isinstance(found, list) else found

    called.uses = frozenset(uses)  # type: ignore[attr-defined]
    called.of_people = frozenset(OF_PEOPLE if jackknife else ()) & known  # type: ignore[attr-defined]
    _dress(called, core, own, hints)
    REGISTRY[name] = called  # type: ignore[assignment]
    return REGISTRY[name]


def _left_out(
    trial: AnalysisRequest, run: Callable[[AnalysisRequest, dict[str, Any]], Result], options: dict[str, Any]
) -> Result:
    """Return the method's rows with errors over clusters."""

    def rows(part: AnalysisRequest) -> list[Estimate]:
        found = run(part, options)
        return list(found) if isinstance(found, list) else [found]

    _ = trial.cluster_codes  # clusters must be there, whatever else is wrong
    try:
        return unwrap(over_clusters(trial, rows))
    except _UNFIT as error:
        return _null_rows(trial, _reason(error))


def _dress(
    called: Callable[..., Result], core: Callable[..., Result], own: list[inspect.Parameter], hints: dict[str, Any]
) -> None:
    """Give the public function the name, text, module and full signature of its method."""
    # By hand and not by functools.wraps, whose signature would be the core's; readers, the plan's checks and the page
    # of methods read the public one.
    called.__name__ = called.__qualname__ = core.__name__
    called.__doc__ = core.__doc__
    called.__module__ = core.__module__
    shared = inspect.signature(called)
    common = [p for p in shared.parameters.values() if p.kind is not p.VAR_KEYWORD]
    extra = [p.replace(kind=p.KEYWORD_ONLY, annotation=hints.get(p.name, p.annotation)) for p in own]
    called.__signature__ = shared.replace(parameters=[*common, *extra])  # type: ignore[attr-defined]


def _refuse_unknown(name: str, options: dict[str, Any], known: set[str]) -> None:
    unknown = sorted(set(options) - known)
    if unknown:
        takes = ", ".join(sorted(known)) or "no options"
        raise AnalysisError.of(f"option {unknown[0]!r}", f"is not known to {name}", f"it takes {takes}")


def _refuse_unused(name: str, unused: set[str]) -> None:
    """Refuse shared arguments that would not change the result, each with the methods that use it."""
    if unused:
        raise AnalysisError([
            Problem("data", key, f"is not used by {name}", f"leave it out, or use {', '.join(users_of(key))}")
            for key in SHARED if key in unused
        ])  # fmt: skip


OF_PEOPLE = ("vcov", "method", "correction", "alternative")
"""Options about errors, p-values and intervals that take people as independent."""


def _refuse_of_people(name: str, options: dict[str, Any], *, horizon_missing: bool) -> None:
    """Refuse what a method would not use of the call once its errors come from leaving out clusters."""
    for key in OF_PEOPLE:
        if key in options:
            raise AnalysisError.of(key, f"{options[key]!r} takes no account of clusters", f"leave out {key} or cluster")
    if horizon_missing:
        raise AnalysisError.of("horizon", "is not given", f"{name} over clusters needs its horizon, e.g. the cap of 35")


def users_of(argument: str) -> list[str]:
    """Methods that use a shared argument."""
    return sorted(name for name, method in REGISTRY.items() if argument in method.uses)


def _expanded(data: pd.DataFrame, frequency: str | None) -> pd.DataFrame:
    """Rows that stand for several, written out."""
    if not isinstance(data, pd.DataFrame):
        raise AnalysisError.of("", f"a {type(data).__name__} is not a table", "give a pandas DataFrame")
    if frequency is None:
        return data.reset_index(drop=True)
    if frequency not in data.columns:
        raise AnalysisError.of(f"column {frequency!r}", "is not in the table", "name the column of counts")
    counts = pd.to_numeric(data[frequency], errors="coerce")
    if counts.isna().any() or (counts < 0).any() or (counts % 1 != 0).any():
        raise AnalysisError.of(f"column {frequency!r}", "holds no whole counts", "give whole numbers >= 0")
    return data.loc[data.index.repeat(counts.astype(int))].reset_index(drop=True)
