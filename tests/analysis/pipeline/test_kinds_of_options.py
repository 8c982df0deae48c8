"""Every option of every method with values that it cannot be: one sentence of `check`, and the same of the analysis."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Iterator

import pytest
from support.analysis.planned_rows import (
    OPTIONS,
    Analysis,
    FolderLibrary,
    JudgedRow,
    _plan,
    _runner,
    made,
    read_study,
    study_plan_problems,
)

from analysis.estimators.core.option_domains import DOMAINS, Numbers, Words
from analysis.estimators.methods import METHODS
from analysis.pipeline.factorial.rows import METHODS_OF_FACTORS
from analysis.pipeline.factorial.variants import METHOD
from analysis.pipeline.planning.option_domains import MADE_HERE, OF_COLUMNS
from analysis.pipeline.planning.plan_check import BY_ITEM, NEEDS
from analysis.pipeline.planning.row_check import TAKES, of_times
from analysis.pipeline.regimes.rows import METHODS_OF_REGIMES

BY_KIND = {"binary": "all_done", "count": "pages", "ordinal": "ranked"}
OF_DESIGNS = (*METHODS_OF_REGIMES, METHOD)
"""Methods whose columns the pipeline names, in the designs that have them."""
WITHIN = ("crossover",)
"""Of a sequence of treatments alone."""


def options_of(method: str) -> dict[str, inspect.Parameter]:
    signature = inspect.signature(METHODS[method])
    return {name: entry for name, entry in signature.parameters.items() if name not in MADE_HERE}


def domain_of(method: str, option: str) -> Words | Numbers | None:
    return DOMAINS.get(method, {}).get(option)


def wrong_values(method: str, option: str, annotation: object) -> Iterator[object]:
    """Values of another type, out of bounds, and names of nothing."""
    text = str(annotation)
    domain = domain_of(method, option)
    if isinstance(domain, Numbers):
        yield True
        yield "3" if "str" not in text else "nonsense"
        yield from (bound for bound in (domain.above,) if bound is not None)
        yield from (bound - 1 for bound in (domain.above, domain.least) if bound is not None)
        yield from (bound + 1 for bound in (domain.most,) if bound is not None)
        if annotation is int:
            yield 2.5
    elif annotation is bool or "bool" in text:
        yield from ("yes", "true", 1, 0, 2.5)
    else:
        yield from ("nonsense", "", True, 3, 2.5)


def outcome_of(method: str) -> str:
    return (
        "completion_minutes" if of_times(method) else BY_KIND.get(TAKES.get(method, ("", ("",)))[1][0], "quiz_points")
    )


def row_of(method: str, label: str, options: dict[str, object]) -> Analysis:
    needed = NEEDS.get(method, ("", ""))[0]
    given = {needed: OPTIONS[needed]} if needed in OPTIONS else {}
    if "pair_id" in options and method != "paired_t":
        given |= {"paired": True}
    if method in ("tipping_point", "multiple_imputation"):
        given |= {"imputations": 2}
    return Analysis.model_validate(
        {"outcome": outcome_of(method), "method": method, "label": label, "options": given | options}
    )


def methods_of(name: str) -> list[str]:
    """Those that a study of the design table can bear: one in clusters has no times."""
    left_out = (*BY_ITEM, *OF_DESIGNS, *WITHIN, *METHODS_OF_FACTORS)
    return [method for method in METHODS if method not in left_out and not (name == "clusters" and of_times(method))]


def rows_of_wrong_values(methods: Iterable[str]) -> Iterator[tuple[Analysis, str]]:
    for method in methods:
        for option, entry in options_of(method).items():
            if (
                entry.annotation not in (bool, int, float, str)
                and "Sequence" in str(entry.annotation)
                and (domain_of(method, option) is None and option not in OF_COLUMNS)
            ):
                continue  # lists have no place among the options of a plan
            for place, value in enumerate(wrong_values(method, option, entry.annotation)):
                yield row_of(method, f"{option}_{place}", {option: value}), option
        yield row_of(method, "unknown", {"nonsense": 1}), "nonsense"
        yield row_of(method, "of_the_plan", {"seed": 1}), "seed"


def judge(folder, name: str, rows: list[Analysis], run: bool = True) -> list[JudgedRow]:
    study = read_study(made(folder, name))
    plan = _plan(study)
    library = FolderLibrary(study, folder, "study.toml")
    said = study_plan_problems(
        study.model_copy(update={"analysis": plan.model_copy(update={"analyses": tuple(rows)})}),
        library.bank,
        "study.toml",
    )
    refused = {row.id: tuple(str(p) for p in said if p.key.startswith(f"analysis.analyses.{row.id}.")) for row in rows}
    runner = _runner(study, plan) if run else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [JudgedRow(row, refused[row.id], tuple(runner.run(row)) if runner else ()) for row in rows]


def test_every_option_says_what_it_can_be():
    open_ended = [
        f"{method}.{option}"
        for method in METHODS
        if method not in (*BY_ITEM, *OF_DESIGNS)
        for option, entry in options_of(method).items()
        if entry.annotation is not bool
        and "bool" not in str(entry.annotation)
        and "Literal" not in str(entry.annotation)
        and option not in OF_COLUMNS
        and domain_of(method, option) is None
    ]
    # Lists cannot stand among a plan's options.
    assert open_ended == ["ordinal_logit.categories", "worst_case.bounds"]
    unknown = [f"{m}.{o}" for m, options in DOMAINS.items() for o in options if o not in options_of(m)]
    assert unknown == ["factorial_rerandomization.statistic"]


@pytest.mark.parametrize("name", ["every_stage", pytest.param("clusters", marks=pytest.mark.slow)])
def test_a_value_that_an_option_cannot_be_is_one_sentence_of_check_and_of_the_analysis(tmp_path, name):
    pairs = list(rows_of_wrong_values(methods_of(name)))
    found = judge(tmp_path, name, [row for row, _ in pairs])
    faults = []
    for entry, (row, option) in zip(found, pairs, strict=True):
        about = [text for text in entry.refused if f".options.{option}: " in text]
        notes = {estimate.note for estimate in entry.made}
        if name == "clusters" and len(about) != len(entry.refused):
            continue  # the method itself is refused there, whatever its options
        if len(about) != 1 or "; " not in about[0]:
            faults.append(f"check of {row.id} {row.options}: {entry.refused}")
        if any(estimate.estimate is not None or estimate.p_value is not None for estimate in entry.made):
            faults.append(f"analysis of {row.id} {row.options}: made")
        if not all(note.startswith("not estimable: ") and f"options.{option}: " in note for note in notes):
            faults.append(f"analysis of {row.id} {row.options}: {notes}")
    assert len(pairs) > 150
    assert not faults, "\n".join(map(str, faults))


OF_DESIGN = {
    "second_decision": METHODS_OF_REGIMES,
    "factors_and_control": METHODS_OF_FACTORS,
    "orders": WITHIN,
    "latin": ("mixed_model",),
    "three_arms": (METHOD,),
}
"""Studies of the design table whose design has methods that others lack, or takes other options."""


@pytest.mark.parametrize("name", OF_DESIGN)
def test_a_value_that_an_option_of_a_design_cannot_be_is_one_sentence_of_check(tmp_path, name):
    pairs = list(rows_of_wrong_values(OF_DESIGN[name]))
    found = judge(tmp_path, name, [row for row, _ in pairs], run=False)
    faults = []
    for entry, (row, option) in zip(found, pairs, strict=True):
        about = [text for text in entry.refused if f".options.{option}: " in text]
        if len(about) != 1 or "; " not in about[0]:
            faults.append(f"check of {row.id} {dict(row.options)}: {entry.refused}")
    assert pairs
    assert not faults, "\n".join(faults)


COLUMNS_OF_REGIMES = ("second", "responded", "first_probability", "second_probability")


@pytest.mark.parametrize("option", COLUMNS_OF_REGIMES)
@pytest.mark.parametrize("method", METHODS_OF_REGIMES)
def test_a_plan_names_no_column_of_a_second_decision(tmp_path, method, option):
    (entry,) = judge(tmp_path, "second_decision", [row_of(method, option, {option: "pretest_points"})], run=False)
    (text,) = entry.refused
    assert f".options.{option}: {method} is given its {option} by the plan and the data; remove it" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["every_stage", "clusters"])
def test_every_word_that_an_option_takes_is_made(tmp_path, name):
    rows = [
        row_of(method, f"{option}_{place}", {option: word})
        for method, options in DOMAINS.items()
        if method in methods_of(name)
        for option, domain in options.items()
        if isinstance(domain, Words)
        for place, word in enumerate((domain.in_clusters or domain.words) if name == "clusters" else domain.words)
        if word != "rmst"
    ]
    found = judge(tmp_path, name, rows)
    faults = []
    for entry in found:
        if any("what was received is not allocated" in text for text in entry.refused):
            continue  # of this study's arms, whatever the word
        notes = "; ".join(estimate.note for estimate in entry.made)
        is_made = any(figure is not None for row in entry.made for figure in (row.estimate, row.p_value, row.ci_low))
        if bool(entry.refused) == is_made and "tied values" not in notes and "nothing" not in notes:
            faults.append((entry.row.id, dict(entry.row.options), entry.refused, notes))
    assert not faults, "\n".join(map(str, faults))


def test_a_variance_of_a_statistic_that_uses_none_is_refused(tmp_path):
    (entry,) = judge(
        tmp_path, "every_stage", [row_of("permutation", "plain", {"vcov": "HC2", "studentised": False})], run=False
    )
    (text,) = entry.refused
    assert "permutation.plain.options.vcov: with studentised = false the variance is not chosen; remove it" in text
