"""Covariances robust to clusters: CR2 (Bell & McCaffrey 2002) with its degrees of freedom.

Written here because statsmodels has CR1 alone, which is too small with few clusters; as R's clubSandwich and estimatr.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from analysis.estimators.core.request import AnalysisRequest
from analysis.estimators.core.validation import AnalysisError, Floats, Ints, NotEstimable
from analysis.estimators.numerics.linear import Fit

FEW = 8
"""Clusters an arm below which intervals and p-values are doubtful."""
ALONE = (
    "one cluster by itself determines a part of it, so that nothing says how much such clusters vary: no standard "
    "error and no p; re-randomisation, or a mixed model of clusters that vary alike in both arms, may have one"
)
"""Why a contrast has no standard error."""


@dataclass(frozen=True)
class ClusterRobust:
    """Sandwich covariance of a least-squares fit whose rows come in clusters."""

    fitted: Fit
    codes: Ints
    kind: str

    @classmethod
    def of(cls, trial: AnalysisRequest, fitted: Fit, vcov: str | None) -> ClusterRobust:
        """Of a trial's clusters; CR2 unless CR0 or CR1 (Stata's) is named."""
        name = str(vcov or "CR2").upper()
        kind = {"STATA": "CR1", "CR1S": "CR1"}.get(name, name)
        if kind not in ("CR0", "CR1", "CR2"):
            raise AnalysisError.of("vcov", f"{vcov!r} takes no account of clusters", "use CR2, CR1 or CR0")
        found = cls(fitted, trial.cluster_codes, kind)
        if len(found.members) < 3 or fitted.df < 1:
            raise NotEstimable(f"{len(found.members)} clusters are too few for a cluster-robust standard error")
        return found

    @cached_property
    def members(self) -> list[Ints]:
        """Row numbers, cluster by cluster."""
        # One sort in place of a comparison with every cluster's code, which takes people times clusters.
        order = np.argsort(self.codes, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.codes[order])) + 1)

    @cached_property
    def covariance(self) -> Floats:
        """Of the coefficients."""
        x, bread, residuals = self.fitted.design, self.fitted.gram_inverse, self.fitted.residuals
        (n, p), count = x.shape, len(self.members)
        roots = self._adjustments if self.kind == "CR2" else [None] * count
        scores = np.stack([
            x[rows].T @ (residuals[rows] if root is None else root @ residuals[rows])
            for rows, root in zip(self.members, roots, strict=True)
        ])  # fmt: skip
        # CR1's factor corrects the average bias only; CR2 corrects each cluster by its leverage, which matters where
        # clusters differ in size or an arm has few of them (Pustejovsky & Tipton 2018).
        factor = count / (count - 1) * (n - 1) / (n - p) if self.kind == "CR1" else 1.0
        return np.asarray(factor * bread @ (scores.T @ scores) @ bread, dtype=np.float64)

    @cached_property
    def _adjustments(self) -> list[Floats]:
        """(I - H_gg)^(-1/2), with a pseudo-inverse where a cluster determines a coefficient alone."""
        found = []
        for rows in self.members:
            x = self.fitted.design[rows]
            inner = np.eye(len(rows)) - x @ self.fitted.gram_inverse @ x.T
            values, vectors = np.linalg.eigh((inner + inner.T) / 2)
            # Zero: the cluster alone determines a coefficient, and the pseudo-inverse leaves that direction out.
            root = np.where(values > 1e-10, 1 / np.sqrt(np.maximum(values, 1e-300)), 0.0)
            found.append(np.asarray((vectors * root) @ vectors.T, dtype=np.float64))
        return found

    def is_alone(self, weights: Floats) -> bool:
        """Return whether one cluster by itself determines a part of this contrast, as where an arm has one cluster.

        The model then fits that part exactly whatever the cluster is like, and no sandwich holds how much such clusters
        vary: with one treated cluster of eight CR2 rejects four null trials in ten.
        """
        # Such a part is a direction in which the cluster's share of the cross products is all of them: eigenvalue 1.
        x = self.fitted.design
        scale = np.linalg.norm(x, axis=0)
        # Orthonormal columns by QR: cross products square the condition, so that covariates that are nearly alike
        # would leave no such columns, or wrong ones.
        columns, triangle = np.linalg.qr(x / scale)
        toward = np.linalg.solve(triangle.T, weights / scale)
        for rows in self.members:
            part = columns[rows]
            values, vectors = np.linalg.eigh(part.T @ part)
            if np.linalg.norm(vectors[:, values > 1 - 1e-8].T @ toward) > 1e-6 * np.linalg.norm(toward):
                return True
        return False

    def df_of(self, index: int) -> float:
        """Return the degrees of freedom of one coefficient; see `df_along`."""
        return self.df_along(np.eye(self.fitted.design.shape[1])[index])

    def df_along(self, weights: Floats) -> float:
        """Degrees of freedom of a contrast of coefficients.

        Satterthwaite's for CR2 under equal independent errors, else G - 1.

        Raises:
            NotEstimable: one cluster determines a part of it.
        """
        if self.is_alone(weights):
            raise NotEstimable(ALONE)
        # G - 1 as in Stata; Satterthwaite's value needs CR2's unbiasedness.
        if self.kind != "CR2":
            return float(len(self.members) - 1)
        x, bread = self.fitted.design, self.fitted.gram_inverse
        sides, squares = [], []
        for rows, root in zip(self.members, self._adjustments, strict=True):
            a = root @ (x[rows] @ (bread @ weights))
            sides.append(x[rows].T @ a)
            squares.append(a @ a)
        # The trace of the matrix and of its square come from these small products; the matrix itself has a row for each
        # person.
        b = np.stack(sides)
        gram = np.diag(squares) - b @ bread @ b.T
        return float(np.trace(gram) ** 2 / (gram**2).sum())

    def detail(self, trial: AnalysisRequest) -> dict[str, Any]:
        """Return the number of clusters, of each arm too, and their residuals' intraclass correlation (ANOVA)."""
        return {
            "clusters": len(self.members),
            **({"clusters_per_arm": clusters_per_arm(trial)} if trial.arm is not None and not trial.is_dose else {}),
            "icc": anova_icc(self.fitted.residuals, self.codes),
        }

    def warnings(self, trial: AnalysisRequest) -> list[str]:
        """Return what few clusters do to the figures."""
        return few_clusters(trial) if trial.arm is not None and not trial.is_dose else []


def clusters_per_arm(trial: AnalysisRequest) -> dict[str, int]:
    """Clusters with people of each arm."""
    return {
        label: len(np.unique(trial.cluster_codes[trial.codes == index])) for index, label in enumerate(trial.labels)
    }


def few_clusters(trial: AnalysisRequest) -> list[str]:
    """Return a sentence where an arm has fewer than eight clusters."""
    counts = clusters_per_arm(trial)
    if min(counts.values()) >= FEW:
        return []
    listed = ", ".join(f"{count} of {label}" for label, count in counts.items())
    return [f"few clusters ({listed}; {FEW} an arm are advised): interval and p are doubtful"]


def anova_icc(values: Floats, codes: Ints) -> float | None:
    """Intraclass correlation by the one-way analysis of variance, unequal sizes allowed (Donner & Koval 1980)."""
    sizes = np.bincount(codes).astype(np.float64)
    n, count = len(values), len(sizes)
    if count < 2 or n <= count:
        return None
    means = np.bincount(codes, values) / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (count - 1)
    within = float(((values - means[codes]) ** 2).sum()) / (n - count)
    # The average size that unequal clusters stand for, below their mean size (Donner & Koval 1980).
    size = (n - (sizes**2).sum() / n) / (count - 1)
    total = between + (size - 1) * within
    return float((between - within) / total) if total > 0 else None
