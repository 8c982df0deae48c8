"""The preregistration text: SPIRIT 2025 items filled from the study file, the rest marked to be completed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from study_app import __version__
from study_app.dataset.schema import participants_table, quiz_types
from study_app.dataset.schema.plan_fit import measured
from study_app.domain.allocation import ALGORITHM, options
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.sentences import ended
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.comparing.delayed_outcomes import with_delayed
from study_app.domain.study.comparing.stated_decision import stated_hypothesis, stated_statistics
from study_app.domain.study.comparing.stated_estimands import stated_estimands
from study_app.domain.study.study import Study, StudyArm, canonical_json
from study_app.services.researcher.registered_content import (
    interviews,
    prompts,
    quiz_facts,
    scoring,
    session_facts,
    timeline,
)

OPEN = "*To be completed by the researchers.*"


def preregistration(
    study: Study,
    content: ContentLibrary,
    study_hash: str,
    commitment: str,
    export_key: str,
    chain_key: str,
    at: datetime,
    packages: Mapping[str, str] | None = None,
) -> tuple[dict[str, Any], str]:
    """prereg.json and prereg.md of a study that is being launched.

    Args:
        study: as locked.
        content: what it names.
        study_hash: of the study file and all that it names.
        commitment: to the sealed seed.
        export_key: public half of the key that signs exports, in hex.
        chain_key: SHA-256 of the key that signs the heads of the chain of records, in hex.
        at: moment of the launch.
        packages: distribution -> version of what participants' programs can import.
    """
    plan = study.analysis.model_dump(mode="json")
    document = {
        "schema": "study-prereg/1",
        "study_id": study.id,
        "title": study.title,
        "study_hash": study_hash,
        "plan_sha256": hashlib.sha256(canonical_json(plan).encode()).hexdigest(),
        "seed_commitment": commitment,
        "commitment_covers": ["seed", "algorithm", "scheme", "strata", "arms"],
        "export_key": export_key,
        "chain_key": chain_key,
        "algorithm": ALGORITHM,
        "allocation": study.allocation.model_dump(mode="json"),
        "arms": [{"id": arm.id, "weight": arm.weight, "control": arm.control} for arm in study.arms],
        **({"factors": _factors(study)} if study.factors else {}),
        **({"second_decision": study.second_decision.model_dump(mode="json")} if study.second_decision else {}),
        "target_n": study.recruitment.target_n,
        "target_counts": study.recruitment.target_counts,
        "sessions": session_facts(study),
        "quizzes": quiz_facts(study, content),
        "plan": plan,
        "package_version": __version__,
        "study_packages": dict(packages or {}),
        # The same form as in every cell of a dataset, with which verify compares it.
        "launched_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return document, _markdown(study, content, document)


def _markdown(study: Study, content: ContentLibrary, document: dict[str, Any]) -> str:
    sections = [f"# Preregistration: {study.title}", _identity(document)]
    sections += [f"## {heading}\n\n{body.strip() or OPEN}" for heading, body in _items(study, content)]
    return "\n\n".join(sections) + "\n"


def _identity(document: dict[str, Any]) -> str:
    rows = {
        "Study": document["study_id"],
        "Launched": document["launched_at"],
        "Hash of the study": f"`{document['study_hash']}`",
        "Hash of the analysis plan": f"`{document['plan_sha256']}`",
        "Commitment to the sealed seed": f"`{document['seed_commitment']}`",
        "Key that signs datasets": f"`{document['export_key']}`",
        "Algorithm": document["algorithm"],
        "Software": f"study-app {document['package_version']}",
        "Packages of participants' programs": _versions(document["study_packages"]),
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())])


def _versions(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items()) or "none"


def _items(study: Study, content: ContentLibrary) -> list[tuple[str, str]]:
    """Headings follow the order of the SPIRIT 2025 checklist."""
    return [
        ("Title and structured summary", study.description),
        ("Roles and responsibilities", study.researchers),
        ("Funding and conflicts of interest", ""),
        ("Ethics approval", study.ethics),
        ("Data sharing", study.data.shared),
        ("Background and rationale", ""),
        ("Objectives", _objectives(study)),
        ("Trial design", _design(study)),
        ("Trial setting and eligibility", _eligibility(study)),
        ("Interventions and comparator", _joined(_arms(study), prompts(study, content))),
        ("Outcomes", _joined(_outcomes(study, content), scoring(study, content))),
        ("Harms", ""),
        ("Participant timeline", timeline(study)),
        (
            "Sample size",
            f"{study.recruitment.target_n} {study.recruitment.target_counts} participants. Justification: {OPEN}",
        ),
        ("Recruitment", f"Way in: {study.recruitment.entry}. {OPEN}"),
        ("Randomisation: sequence generation", _sequence(study)),
        ("Randomisation: concealment", _concealment()),
        ("Randomisation: implementation", _implementation(study)),
        (
            "Blinding",
            "Participants cannot be blinded. Grading is automatic or blind to arm. Until the trial is closed no export "
            "and no page shows arms; until it is unsealed analyses see masked labels only.",
        ),
        (
            "Data collection and management",
            _joined(
                f"Events are logged with server and browser time. Kept for {study.data.keep_months} months. Queries to "
                f"an assistant are coded by `{study.analysis.coder}`.",
                interviews(study, content),
            ),
        ),
        ("Statistical methods", stated_statistics(study)),
        ("Interim analyses and stopping", study.analysis.stopping.sentence),
        (
            "Protocol amendments",
            "Each amendment is recorded with its reason; participants keep the version they started with.",
        ),
    ]


def _joined(*parts: str) -> str:
    return "\n\n".join(filter(None, parts))


def _objectives(study: Study) -> str:
    lines = []
    for estimand in stated_estimands(study.analysis, study, _about_loss(study)):
        lines += [
            f"- **{estimand.outcome}**: {ended(estimand.summary)}",
            f"  - Variable: {ended(estimand.variable)}",
            f"  - Population: {ended(estimand.population)}",
            f"  - Treatments: {ended(estimand.treatments)}",
        ]
        lines += [
            f"  - {event.event}: {event.strategy.replace('_', ' ')}. {ended(event.handling)}".rstrip()
            for event in estimand.intercurrent
        ]
        lines += [f"  - Missing outcomes: {ended(estimand.missing)}"] if estimand.missing else []
    return "\n".join(lines)


def _about_loss(study: Study) -> dict[str, set[str]]:
    """Return outcome -> methods on missing outcomes that the usual or the listed rows have in this design."""
    usual = () if study.allocation.method == "cluster" else ("multiple_imputation", "tipping_point")
    found: dict[str, set[str]] = {}
    if study.allocation.method == "sequence":
        return found
    listed = [row for row in study.analysis.analyses if row.role != "primary"]
    for name in study.analysis.primary:
        mine = {row.method for row in listed if row.outcome == name}
        # The bounds come with any list of rows; the others only where the plan lists none.
        found[name] = {"lee_bounds", "worst_case"} | (mine if listed else set(usual))
    return found


def _design(study: Study) -> str:
    ratio = ":".join(str(arm.weight) for arm in study.arms)
    kinds = {"sequence": "Crossover", "cluster": "Cluster-randomised parallel groups"}
    kind = kinds.get(study.allocation.method, "Parallel groups")
    if study.factors:
        kind = f"{' x '.join(str(len(factor.levels)) for factor in study.factors)} factorial, {kind.lower()}"
        kind += "" if study.control.id in study.cells else f", with the control {study.control.id} outside the cells"
    orders = len(options(study.allocation, study.arms))
    given = f"{orders} orders of {len(study.arms)} arms" if kind == "Crossover" else f"{len(study.arms)} arms"
    again = ", with a second randomisation of those who do not respond (SMART)" if study.second_decision else ""
    return f"{kind}, {given}, allocation ratio {ratio}, {stated_hypothesis(study.analysis)}{again}."


def _eligibility(study: Study) -> str:
    lines = []
    for question in (q for stage in study.stages if stage.kind == "eligibility" for q in stage.asked):
        labels = [option.label for option in question.options if option.value in question.eligible]
        if labels:
            lines.append(f"- {ended(question.prompt)} Eligible: {ended(', '.join(labels))}")
    return "\n".join(lines)


def _factors(study: Study) -> list[dict[str, Any]]:
    """Return each factor with the arms at each of its levels."""
    return [
        {"id": factor.id, "levels": {name: study.arms_at(factor.id, name) for name in factor.level_ids}}
        for factor in study.factors
    ]


def _assisted(arm: StudyArm) -> str:
    if not arm.assistant:
        return "no assistant."
    return f"assistant `{arm.assistant}`" + (f", persona `{arm.persona}`." if arm.persona else ".")


def _arms(study: Study) -> str:
    factors = [
        f"- Factor **{factor['id']}**: "
        + "; ".join(f"{name} ({', '.join(arms)})" for name, arms in factor["levels"].items())
        + "."
        for factor in _factors(study)
    ]
    arms = [
        f"- **{arm.id}** ({arm.title}{', control' if arm.control else ''}): " + _assisted(arm) for arm in study.arms
    ]
    return "\n".join([*factors, *arms, *_second(study)])


def _second(study: Study) -> list[str]:
    """Return the rule of a second decision and its treatments, a line each."""
    second = study.second_decision
    if not second:
        return []
    lines = [
        f"- Before the stage `{second.stage}`, those who meet `{second.responds}` have responded and go on as before."
    ]
    for each in second.treatments:
        helped = "the arm's own assistant" if each.assistant is None else f"assistant `{each.assistant or 'none'}`"
        texts = ", with instructions or a promise" if each.instructions or each.pledge else ""
        lines.append(f"- Everybody else, second treatment **{each.id}** (weight {each.weight}): {helped}{texts}.")
    return lines


def _outcomes(study: Study, content: ContentLibrary) -> str:
    primary, usual = study.analysis.primary, Plan.default().outcomes
    columns = measured(study, participants_table([study], quiz_types([study], content.bank)).names).columns
    outcomes = [
        f"- {'Primary' if outcome.id in primary else 'Secondary'}: {outcome.title} (`{outcome.name}`)"
        + (", yes or no" if outcome.kind == "binary" else f", in {outcome.unit}" if outcome.unit else "")
        for outcome in with_delayed(study.analysis, study).outcomes
        # The analysis goes without an outcome of the default plan that this study does not measure.
        if outcome.name in columns or outcome.id in primary or outcome not in usual
    ]
    return "\n".join(outcomes)


def _sequence(study: Study) -> str:
    scheme = study.allocation.model_dump(mode="json", exclude_defaults=True)
    parameters = f"method `{study.allocation.method}`, parameters `{canonical_json(scheme)}`"
    unit = "clusters" if study.allocation.method == "cluster" else "people"
    return f"Generated as {unit} arrive: {parameters}; draws by HMAC-SHA256 from a sealed seed."


def _implementation(study: Study) -> str:
    stage = study.allocation_stage or study.stages[-1]
    again = (
        f" On the way into `{study.second_decision.stage}` it applies the response rule to what is saved by then, and "
        "randomises those who did not respond, from a ledger with a separate index."
        if study.second_decision
        else ""
    )
    clusters = study.allocation.method == "cluster"
    what = " the whole cluster" if clusters else ""
    who = "the first participant of it" if clusters else "a participant"
    others = " Those who come from it later get its arm." if clusters else ""
    return (
        f"The server allocates{what}, in one transaction, when {who} reaches the stage `{stage.id}`, after all "
        f"baseline data of that participant are saved.{others}{again}"
    )


def _concealment() -> str:
    return (
        "The seed was drawn at launch and is encrypted under a key that is kept outside the database. Its commitment "
        "above is published before the first allocation; when the seed is shown, anyone can recompute every allocation."
    )
