"""Who is consistent with which regime, and with what weight."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import (
    AnalysisError,
    Bools,
    Floats,
    NotEstimable,
    as_numbers,
    label_of,
    levels_of,
)

MARK = "/"
"""Between an arm and a second treatment in the name of a regime, as in `hints/more`."""


@dataclass(frozen=True)
class RegimePeople:
    """The people of a trial in which those who did not respond were randomised a second time."""

    trial: AnalysisRequest
    second: str
    responded: str
    first: str
    again: str

    @classmethod
    def of(cls, trial: AnalysisRequest, second: str, responded: str, first: str, again: str) -> RegimePeople:
        """Return the people, checked: no responder has a second treatment, and all others decided on have one."""
        for name in (second, responded, first, again):
            if name not in trial.data.columns:
                raise AnalysisError.of(
                    f"column {name!r}", "is not in the table", "name the columns of the two decisions"
                )
        found = cls(trial, second, responded, first, again)
        answered, given = found.answered, found.treated
        if not np.isin(answered[~np.isnan(answered)], (0.0, 1.0)).all():
            raise AnalysisError.of(f"column {responded!r}", "is not coded 0/1", "code 1 = responded, 0 = did not")
        if (given & ~(answered == 0)).any() or ((answered == 0) & ~given).any():
            what = "does not go with who responded"
            raise AnalysisError.of(f"column {second!r}", what, "give a second treatment to those with 0, and no others")
        for name, where in ((first, np.ones(len(answered), dtype=bool)), (again, given)):
            values = as_numbers(trial.data[name])[where]
            if not ((values > 0) & (values <= 1)).all():
                raise AnalysisError.of(
                    f"column {name!r}", "is not a probability everywhere", "give shares over 0, to 1"
                )
        if len(found.treatments) < 2:
            raise NotEstimable("fewer than two second treatments were given to anybody")
        return found

    @cached_property
    def answered(self) -> Floats:
        """1 where people responded, 0 where not, NaN where they left before it was decided."""
        return as_numbers(self.trial.data[self.responded])

    @cached_property
    def treated(self) -> Bools:
        """Whether people have a second treatment."""
        return np.asarray(self.trial.data[self.second].notna())

    @cached_property
    def had(self) -> NDArray[np.object_]:
        """Labels of the second treatments, None of who has none."""
        cells = zip(self.trial.data[self.second], self.treated, strict=True)
        return np.asarray([label_of(cell) if given else None for cell, given in cells], dtype=object)

    @cached_property
    def treatments(self) -> list[str]:
        """The second treatments, in the order of their categories or sorted."""
        return levels_of(self.trial.data.loc[self.treated, self.second]) if self.treated.any() else []

    @cached_property
    def weights(self) -> Floats:
        """One over the probability of everything that a person was allocated to."""
        first = as_numbers(self.trial.data[self.first])
        again = np.where(self.treated, as_numbers(self.trial.data[self.again]), 1.0)
        return np.asarray(1.0 / (first * again), dtype=np.float64)

    @property
    def regimes(self) -> list[str]:
        """Every arm with every second treatment, the control's first treatment first."""
        return [f"{arm}{MARK}{treatment}" for arm in self.trial.labels for treatment in self.treatments]

    def consistent(self) -> Bools:
        """Return for each person (row) and regime (column) whether what they had is what the regime gives.

        Who responded, or left before it was decided, is consistent with every regime of the arm.
        """
        columns = [
            (self.trial.codes == code) & (~self.treated | (self.had == treatment))
            for code, _ in enumerate(self.trial.labels)
            for treatment in self.treatments
        ]
        return np.column_stack(columns)

    def without_response(self) -> RegimePeople:
        """Return the people who did not respond."""
        rows = self.answered == 0
        if not rows.any():
            raise NotEstimable("everybody responded")
        data = self.trial.data[rows].reset_index(drop=True)
        return replace(self, trial=replace(self.trial, data=data, notes=[]))
