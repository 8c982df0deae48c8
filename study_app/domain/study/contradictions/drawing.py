"""How arms are drawn, against what balances: variables that do not group people, numbers on the wrong side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from study_app.domain.allocation import options
from study_app.domain.study.contradictions.kinds import Finding
from study_app.domain.study.study import Question, Study

GROUPING = ("choice", "scale", "number", "slider")
"""Kinds of questions whose answers group people."""
NAMING = ("choice", "text", "number")
"""Kinds of questions whose answers name a group that people belong to."""
SEPARATOR = "; "
LEAST_WEIGHT = 0.001
"""Of a factor of minimisation: with less, differences of scores come near those that count as ties."""
_MEASURED = ("_points", "_score")


def drawing_problems(study: Study) -> Iterator[Finding]:
    """Yield what a scheme says that cannot balance arms."""
    if len(study.arms) < 2:
        return
    found = [*_probability(study), *_variables(study), *_factors(study), *_cluster(study)]
    yield from ((f"allocation.{key}", what, remedy) for key, what, remedy in found)


def _probability(study: Study) -> Iterator[Finding]:
    scheme = study.allocation
    if scheme.probability is None:
        return
    weights = [option.weight for option in options(scheme, study.arms)]
    least = min(weights) / sum(weights)
    if scheme.probability <= least + 1e-9:
        what = f"the arm that balances best would be drawn with {scheme.probability:g}, by chance alone with {least:g}"
        yield "probability", what, f"give more than {least:.3g}, such as 0.8"


def _factors(study: Study) -> Iterator[Finding]:
    scheme = study.allocation
    for key, factors in (("strata", scheme.strata), ("factors", scheme.factors)):
        for factor in factors:
            # A label of six digits is what ledgers hold, so that it stays; two groups of one label are one stratum.
            named = Counter(format(cut, "g") for cut in factor.cuts)
            if alike := [cut for cut in factor.cuts if named[format(cut, "g")] > 1]:
                listed = ", ".join(format(cut, ".15g") for cut in alike)
                what = f"the cuts {listed} of '{factor.variable}' are alike in the six digits that name a group"
                yield key, what, "give cuts that differ in their first six digits, or ask for a smaller number"
            if not LEAST_WEIGHT <= factor.weight <= 1 / LEAST_WEIGHT:
                what = f"the weight {factor.weight:g} of '{factor.variable}' is outside of what scores of arms bear"
                yield key, what, f"give weights from {LEAST_WEIGHT:g} to {1 / LEAST_WEIGHT:g}; only their ratio counts"


def _variables(study: Study) -> Iterator[Finding]:
    asked = {question.id: question for stage in study.before_allocation for question in stage.asked}
    scheme = study.allocation
    for table in ("strata", "factors"):
        for factor in getattr(scheme, table):
            key, name = f"{table}.{factor.variable}", factor.variable
            if table == "strata" and factor.weight != 1:
                yield f"{key}.weight", "only minimisation weighs its factors", "remove it"
            if table == "strata" and name == scheme.cluster:
                what = "each cluster would be a stratum with nothing to balance"
                yield key, what, "name what several clusters have in common, or remove it"
            yield from _grouped(key, name, asked.get(name), cut=bool(factor.cuts))


def _grouped(key: str, name: str, question: Question | None, *, cut: bool) -> Iterator[Finding]:
    if question is not None and question.kind not in GROUPING:
        yield key, f"answers of kind {question.kind} make almost as many groups as people", "name a choice or a number"
    elif question is not None and question.kind == "choice" and cut:
        if not all(isinstance(option.value, int) for option in question.options):
            what = f"answers to '{name}' are words, which have no order to cut"
            yield f"{key}.cuts", what, "remove cuts, or give the options whole numbers as values"
    elif question is not None and any(SEPARATOR in str(option.value) for option in question.options):
        what = f"a value of '{name}' holds '{SEPARATOR}', which stands between variables in the names of strata"
        yield key, what, "give the option another value"
    elif not cut and _finely_measured(name, question):
        what = f"without cuts each value of '{name}' is a group for itself, of few people or of one"
        yield f"{key}.cuts", what, "say where groups end, such as cuts = [5]"


def _finely_measured(name: str, question: Question | None) -> bool:
    if question is not None:
        return question.kind in ("slider", "number")
    return name == "warmup_minutes" or name.endswith(_MEASURED)


def _cluster(study: Study) -> Iterator[Finding]:
    scheme = study.allocation
    if scheme.method != "cluster" or scheme.cluster == "label":
        return
    asked = {question.id: question for stage in study.before_allocation for question in stage.asked}
    question = asked.get(scheme.cluster)
    if question is None or question.kind not in NAMING:
        kind = "measured" if question is None else f"of kind {question.kind}"
        what = f"'{scheme.cluster}' is {kind}, and people who share it do not belong together"
        yield "cluster", what, 'write cluster = "label", or name a choice that says the group'


def size_warnings(study: Study) -> Iterator[str]:
    """Yield blocks and differences that the whole trial does not reach; of clusters the number is not known.

    A trial of a few people to try things out is not a mistake, so `check` says it and nothing refuses it.
    """
    scheme, target = study.allocation, study.recruitment.target_n
    if 1 < len(study.arms) > target:
        yield f"recruitment.target_n: {target} is less than the {len(study.arms)} arms, so one of them stays empty"
    if scheme.method == "cluster":
        return
    if scheme.block_sizes and min(scheme.block_sizes) > target:
        yield f"allocation.block_sizes: each is larger than the trial (target_n = {target}), so that no block is full"
    if scheme.unit_method == "big_stick" and scheme.bound >= target:
        yield (
            f"allocation.bound: a difference of {scheme.bound} is never reached with target_n = {target}, so arms are "
            "drawn by chance"
        )
