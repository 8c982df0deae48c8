"""One request over one table: checked access to arms, outcome, covariates, strata, clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.estimators.core.results import EffectSize, Estimate
from analysis.estimators.core.validation import (
    AnalysisError,
    Bools,
    Floats,
    Ints,
    NotEstimable,
    as_numbers,
    complete,
    covariate_columns,
    dummies,
    groups,
    in_deviations,
    is_numeric,
    label_of,
    levels_of,
    numbers,
    require_columns,
)

__all__ = ["AnalysisError", "AnalysisRequest", "ArmContrast", "Bools", "Floats", "Ints", "NotEstimable"]


@dataclass
class AnalysisRequest:
    """The request of one method over one table, with checked access to what it needs.

    Attributes:
        labels: Arm labels, control first; empty without an arm or where the arm is a dose.
    """

    data: pd.DataFrame
    method: str
    outcome: str
    arm: str | None = None
    control: Any = None
    covariates: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    cluster: str | None = None
    event: str | None = None
    horizon: float | None = None
    level: float = 0.95
    seed: int | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check names, rows and the level."""
        require_columns(self.data, self.named_columns)
        if not len(self.data):
            raise AnalysisError.of("", "the table has no rows", "analyse a table with participants")
        if not 0 < self.level < 1:
            raise AnalysisError.of("level", f"{self.level!r} is not between 0 and 1", "ask for 0.95, say")
        if self.horizon is not None and not (np.isfinite(self.horizon) and self.horizon > 0):
            raise AnalysisError.of("horizon", f"{self.horizon!r} is not a positive time", "give the cap, e.g. 35")

    @property
    def named_columns(self) -> list[str]:
        """Every column that the call names."""
        single = [self.arm, self.cluster, self.event]
        return [self.outcome, *(name for name in single if name is not None), *self.covariates, *self.strata]

    @property
    def alpha(self) -> float:
        """One minus the level."""
        return 1.0 - self.level

    @cached_property
    def y(self) -> Floats:
        """The outcome, complete and numeric."""
        return numbers(self.data, self.outcome)

    @property
    def varied_y(self) -> Floats:
        """The outcome, refused where every row has the same."""
        if np.ptp(self.y) == 0:
            raise NotEstimable(f"{self.outcome!r} has the same value in every row")
        return self.y

    @cached_property
    def y_with_gaps(self) -> Floats:
        """The outcome with NaN where missing."""
        return as_numbers(self.data[self.outcome])

    @cached_property
    def events(self) -> Bools:
        """True where the end was observed; without an event column, everywhere."""
        if self.event is None:
            return np.ones(len(self.data), dtype=bool)
        values = numbers(self.data, self.event)
        if not np.isin(values, (0.0, 1.0)).all():
            raise AnalysisError.of(f"column {self.event!r}", "is not coded 0/1", "code 1 = event seen, 0 = censored")
        seen: Bools = values == 1.0
        return seen

    @cached_property
    def is_dose(self) -> bool:
        """A numeric arm without a control: a dose, whose effect is per unit."""
        return self.arm is not None and self.control is None and is_numeric(self.data[self.arm])

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Arm labels, control first, then in the order of the categories or sorted."""
        if self.arm is None:
            raise AnalysisError.of("arm", "is not given", f"method {self.method} compares arms: name their column")
        levels = levels_of(complete(self.data, self.arm))
        control = self._control(levels)
        empty = [level for level in levels if level not in self._arm_coded[1]]
        if control not in levels or empty or len(levels) < 2:
            what = f"arm {control!r} has no rows" if control not in levels else f"arms with rows: {levels}"
            what = f"arm {empty[0]!r} has no rows" if empty and control in levels else what
            raise AnalysisError.of(
                f"column {self.arm!r}", what, f"found {levels}; at least one treated arm and the control need rows"
            )
        return (control, *[level for level in levels if level != control])

    @cached_property
    def _arm_coded(self) -> tuple[Ints, list[str]]:
        """Each row's arm as a code, and the labels of the codes."""
        if self.arm is None:
            raise AnalysisError.of("arm", "is not given", "name the column of the arm")
        return groups(self.data, [self.arm])

    def _control(self, levels: list[str]) -> str:
        if self.control is None:
            raise AnalysisError.of("control", "is not given", f"name the control arm, one of {levels}")
        label = label_of(self.control)
        # A column of 0/1 may come as booleans (a comparison gives one): a control of 0 must find False there, and the
        # reverse.
        twin = {"0": "False", "1": "True", "False": "0", "True": "1"}.get(label, label)
        return twin if label not in levels and twin in levels else label

    @cached_property
    def unordered_labels(self) -> tuple[str, ...]:
        """Arm labels of an omnibus test, for which a control may stay unnamed."""
        if self.control is not None or self.arm is None:
            return self.labels
        levels = levels_of(complete(self.data, self.arm))
        if len(levels) < 2 or set(levels) != set(self._arm_coded[1]):
            raise AnalysisError.of(f"column {self.arm!r}", f"levels {levels}, one of them alone or empty", "need two")
        return tuple(levels)

    @cached_property
    def codes(self) -> Ints:
        """Each row's arm as an index into the labels."""
        codes, seen = self._arm_coded
        order = {label: index for index, label in enumerate(self.unordered_labels)}
        return np.asarray([order[label] for label in seen], dtype=np.int64)[codes]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows per arm."""
        if self.arm is None or self.is_dose:
            return {"all": len(self.data)}
        return {label: int((self.codes == index).sum()) for index, label in enumerate(self.unordered_labels)}

    @cached_property
    def given_x(self) -> tuple[Floats, list[str]]:
        """Covariate columns in their own units, and their names."""
        return covariate_columns(self.data, self.covariates)

    @cached_property
    def x(self) -> tuple[Floats, list[str]]:
        """Covariate columns in standard deviations about the mean, and their names.

        No effect of an arm or a dose depends on a covariate's unit or zero, but what a computer makes of it does.
        """
        columns, labels = self.given_x
        return in_deviations(columns), labels

    @cached_property
    def stratum_codes(self) -> Ints:
        """Each row's stratum, the combination of its factors' levels; one stratum where none is named."""
        if not self.strata:
            return np.zeros(len(self.data), dtype=np.int64)
        return self._strata[0]

    @cached_property
    def _strata(self) -> tuple[Ints, list[str]]:
        return groups(self.data, self.strata)

    @cached_property
    def stratum_columns(self) -> tuple[Floats, list[str]]:
        """Indicators of all levels but the first of each stratification factor."""
        blocks: list[Floats] = [np.empty((len(self.data), 0))]
        names: list[str] = []
        for factor in self.strata:
            codes, labels = self._strata if len(self.strata) == 1 else groups(self.data, [factor])
            # Each factor as main effects. Their combinations would take a column a cell, and minimisation over many
            # factors leaves cells of one person (leverage 1).
            blocks.append(dummies(codes, len(labels)))
            names += [f"{factor}[{label}]" for label in labels[1:]]
        return np.column_stack(blocks), names

    @cached_property
    def cluster_codes(self) -> Ints:
        """Each row's cluster."""
        if self.cluster is None:
            raise AnalysisError.of("cluster", "is not given", f"method {self.method} needs the clusters' column")
        return groups(self.data, [self.cluster])[0]

    def binary(self) -> Floats:
        """Return the outcome, refused unless coded 0/1."""
        if not np.isin(self.y, (0.0, 1.0)).all():
            raise AnalysisError.of(f"column {self.outcome!r}", "is not coded 0/1", "code 1 = yes, 0 = no")
        return self.y

    def pairs(self) -> list[ArmContrast]:
        """Return each treated arm with the control."""
        return [ArmContrast(self, index) for index in range(1, len(self.labels))]

    def estimate(self, **fields: Any) -> Estimate:
        """Return a row with outcome, method, level and counts filled in."""
        base: dict[str, Any] = {
            "outcome": self.outcome,
            "method": self.method,
            "ci_level": self.level,
            "n": self.counts,
        }
        row = {**base, **fields}
        # Each once: a method that fits a model for every contrast notes what it dropped every time.
        row["note"] = "; ".join(part for part in [row.get("note", ""), *dict.fromkeys(self.notes)] if part)
        return Estimate(**{name: _plain(value) for name, value in row.items()})

    def null(self, note: str, **fields: Any) -> Estimate:
        """Return a row that could not be computed, and why."""
        return self.estimate(note=note, **fields)


@dataclass
class ArmContrast:
    """One treated arm beside the control."""

    trial: AnalysisRequest
    index: int

    @property
    def contrast(self) -> tuple[str, str]:
        """(treated, control) labels."""
        return self.trial.labels[self.index], self.trial.labels[0]

    @property
    def level(self) -> float:
        """Coverage of the intervals."""
        return self.trial.level

    @property
    def counts(self) -> dict[str, int]:
        """Rows of the two arms."""
        return {label: self.trial.counts[label] for label in self.contrast}

    @cached_property
    def rows(self) -> Bools:
        """Rows of the two arms."""
        return np.isin(self.trial.codes, (0, self.index))

    @cached_property
    def treated(self) -> Bools:
        """Within the pair's rows: True for the treated."""
        return np.asarray(self.trial.codes[self.rows] == self.index)

    def split(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return a column's cells of the treated and of the control."""
        return values[self.trial.codes == self.index], values[self.trial.codes == 0]

    @cached_property
    def arms(self) -> tuple[Floats, Floats]:
        """Outcomes of the treated and of the control."""
        return self.split(self.trial.y)

    def estimate(self, **fields: Any) -> Estimate:
        """Return a row for this contrast."""
        return self.trial.estimate(**{"contrast": self.contrast, "n": self.counts, **fields})

    def varied_arms(self, least: int = 2) -> tuple[Floats, Floats]:
        """Return the arms' outcomes, refused where too few or all the same."""
        treated, control = self.arms
        for values, label in zip((treated, control), self.contrast, strict=True):
            if len(values) < least:
                raise NotEstimable(f"arm {label!r} has {len(values)} observation(s); {least} are needed")
        if np.ptp(np.concatenate([treated, control])) == 0:
            raise NotEstimable(f"{self.trial.outcome!r} has the same value in every row")
        return treated, control


def _plain(value: Any) -> Any:
    """Numpy scalars as Python's; NaN and infinity as None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(entry) for entry in value)
    if isinstance(value, EffectSize):
        return EffectSize(value.name, _plain(value.value), _plain(value.ci_low), _plain(value.ci_high))
    return value
