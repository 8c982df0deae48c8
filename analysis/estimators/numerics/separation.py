"""Whether a likelihood rises without end along some direction: separation, as an exact question of linear programming.

Written here because statsmodels looks for perfect predictions only, and rules of thumb (a large coefficient, a large
standard error) depend on how the covariates are distributed.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize

from analysis.estimators.core.validation import Bools, Floats, Ints, in_deviations

SUSPECT = 1e-3
"""Distance from 0 or 1 within which a fit leaves some of the rows that a separating direction predicts."""
_CLEAR = 1e-6


def separated(rises: Floats, still: Floats) -> bool:
    """Return whether b exists with `rises @ b` nowhere below zero and somewhere above it, and `still @ b` zero.

    Along such a b no term of the likelihood falls and some rise for ever (Albert & Anderson 1984, Konis 2007).

    Args:
        rises: of each term that grows in one direction, the coefficients of what it grows with (terms, p).
        still: of each term that has a separate maximum, the coefficients of what must not change (terms, p).
    """
    free = _null_space(still)
    if not free.shape[1] or not len(rises):
        return False
    rows = np.unique(rises @ free, axis=0)
    found = optimize.linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1.0, 1.0))
    # 0 is always allowed, so that the program has a solution; what its solver lets pass is 1e-7.
    return bool(found.x is not None and (rows @ found.x).max() > _CLEAR)


def _null_space(rows: Floats) -> Floats:
    """Orthonormal columns that span what every row is perpendicular to."""
    if not len(rows):
        return np.eye(rows.shape[1])
    # Of R alone, which has the same row space: a decomposition of all rows would take a matrix of rows by rows.
    _, sizes, vectors = np.linalg.svd(np.linalg.qr(rows, mode="r"))
    rank = int((sizes > 1e-9 * sizes.max(initial=0.0)).sum())
    return np.asarray(vectors[rank:].T, dtype=np.float64)


def separated_at_edges(columns: Floats, low: Bools, high: Bools) -> bool:
    """Whether columns with an intercept separate outcomes of which some are at the lower or upper end of their range.

    Args:
        columns: of the linear predictor.
        low: rows whose likelihood rises the lower the predictor.
        high: rows whose likelihood rises the higher it is.
    """
    z = in_deviations(columns)
    return separated(np.concatenate([z[high], -z[low]]), z[~(low | high)])


def separated_in_order(columns: Floats, codes: Ints) -> bool:
    """Whether columns without an intercept, and cuts between categories 0 to k - 1, separate ordered outcomes."""
    z, cuts = in_deviations(columns), np.eye(int(codes.max()) + 1)[:, :-1]
    below, above = codes < cuts.shape[1], codes > 0
    return separated(
        np.concatenate([
            np.column_stack([-z[below], cuts[codes[below]]]), np.column_stack([z[above], -cuts[codes[above] - 1]])
        ]),
        np.empty((0, z.shape[1] + cuts.shape[1])),
    )  # fmt: skip
