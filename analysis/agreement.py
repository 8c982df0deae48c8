"""Public names of `analysis.measurement.agreement`."""

from analysis.measurement.agreement import (
    cohen_kappa,
    fleiss_kappa,
    icc,
    kappa_of_table,
    krippendorff_alpha,
    light_kappa,
    masi_distance,
)

__all__ = [
    "cohen_kappa",
    "fleiss_kappa",
    "icc",
    "kappa_of_table",
    "krippendorff_alpha",
    "light_kappa",
    "masi_distance",
]
