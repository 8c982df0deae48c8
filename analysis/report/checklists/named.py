"""A checklist by name, each item answered from the data and the study file, or left open for a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from analysis.pipeline.people.flow import clusters_in
from analysis.pipeline.prepare import Prepared
from analysis.report.checklists.answers import checklists
from analysis.report.checklists.consort import AUTHORS
from analysis.report.checklists.extensions import prepared_label
from analysis.report.checklists.sources import CAVEATS, NAMED
from analysis.report.checklists.treatment_facts import Result, TreatmentFacts, treatment_label
from analysis.report.scales import decimal, shown, with_interval
from analysis.report.sentences.estimands import estimands
from study_app.domain.allocation.options import order_of
from study_app.domain.sentences import ended

CHECKLISTS = ("consort", *NAMED)
AT_LAUNCH = ("2", "18")
"""Items of CONSORT that the launch answers: registration, and the commitment to the sealed seed."""
NEW_CLAIM = 0.005
DAYS_OF_A_TERM, DAYS_OF_A_YEAR = 90, 365


class AnsweredItem(NamedTuple):
    """One item with its answer."""

    item: str
    topic: str
    answer: str
    """Empty where it is open."""
    where: str
    open: bool
    """Whether a person must write it."""


def answered(prepared: Prepared, result: Result, name: str) -> list[AnsweredItem]:
    """Return the items of a checklist, in its order.

    Args:
        prepared: dataset and plan.
        result: the object of results.json of the same.
        name: one of `CHECKLISTS`.
    """
    if name == "consort":
        return [*_consort(prepared, result)]
    facts = _Facts(prepared, result)
    found = []
    for entry in NAMED[name]:
        answer = facts.answer(entry.fact) if entry.fact else ""
        answer += f" Open: {entry.rest}." if answer and entry.rest else ""
        found.append(AnsweredItem(entry.number, entry.topic, answer, entry.where, not answer or bool(entry.rest)))
    return found


def _consort(prepared: Prepared, result: Result) -> list[AnsweredItem]:
    found, frozen = [], bool(result["provenance"]["registration"]["frozen_at"])
    for title, items in checklists(prepared, result).items():
        if not title.startswith("CONSORT"):
            continue
        extension = title.partition(": ")[2]
        for item in items:
            if item.number in AT_LAUNCH and not extension and not frozen:
                item = item._replace(where="Not met: no plan was frozen")
            open_ = item.where == AUTHORS
            number = f"{extension} {item.number}".strip()
            where = f"report: {item.anchor}" if item.anchor else "outside the report" if open_ else "see the answer"
            found.append(AnsweredItem(number, item.topic, "" if open_ else item.where, where, open_))
    return found


def text_of(items: list[AnsweredItem], name: str) -> str:
    """Return a checklist as a Markdown table."""
    lines = [
        f"# Checklist: {name}",
        "",
        CAVEATS[name],
        "",
        "| item | topic | answer | where |",
        "| --- | --- | --- | --- |",
    ]
    for entry in items:
        answer = entry.answer or "**open: a person must write it**"
        lines.append("| " + " | ".join(_cell(part) for part in (entry.item, entry.topic, answer, entry.where)) + " |")
    left = sum(entry.open for entry in items)
    return "\n".join([*lines, "", f"{len(items) - left} of {len(items)} answered, {left} open."]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


class _Facts(TreatmentFacts):
    """What the dataset, the study and the results say, a sentence a fact; empty where they say nothing."""

    def answer(self, fact: str) -> str:
        """Return the sentence of a fact."""
        made: Callable[[], str] = getattr(self, fact)
        return made()

    def unit(self) -> str:
        """Say what was allocated."""
        if self.prepared.frame.cluster:
            count = clusters_in(self.prepared.frame.data, self.prepared.frame.cluster)
            return f"{count} groups were allocated whole."
        if self.prepared.sequence:
            return "People were allocated one by one to an order of treatments, each working alone."
        return "People were allocated one by one, each working alone with what their arm gives."

    def schools(self) -> str:
        """Say whether groups were allocated whole, which only a person can call schools."""
        return "" if self.prepared.frame.cluster else "Not met: people were allocated one by one."

    def own_quiz(self) -> str:
        """Name the quizzes."""
        banks = [str(stage["bank"]) for stage in self._stages("quiz")]
        return f"The quizzes come from the study's own item banks: {', '.join(dict.fromkeys(banks))}." if banks else ""

    def followed(self) -> str:
        """Say how long after the start the last outcome is measured."""
        days = sum(float(entry.get("delay_days") or 0) for entry in self.raw.get("sessions", ()))
        reached = "a year or more" if days >= DAYS_OF_A_YEAR else "a term or more" if days >= DAYS_OF_A_TERM else "less"
        return f"The last session opens {days:g} days after the first: {reached}{' than a term' * (reached == 'less')}."

    def control(self) -> str:
        """Describe the control."""
        if self.prepared.sequence:
            return self._control_period()
        arm = self.prepared.view.control
        cell = self.result["flow"]["arms"].get(arm)
        if cell is None:
            return ""
        name, variables = prepared_label(self.prepared, arm), {row["variable"] for row in self.result["baseline"]}
        return f"{name}: {cell['allocated']} allocated, {len(variables)} baseline variables by arm."

    def _control_period(self) -> str:
        """Describe the control of a crossover, which is a treatment of periods and no arm."""
        control, flow = self.prepared.compared[0], self.result["flow"]
        if self.prepared.view.hidden or not all(control in order_of(name) for name in flow["arms"]):
            return ""
        variables = {row["variable"] for row in self.result["baseline"]}
        return (
            f"{treatment_label(self.prepared, control)}: a period of each of {flow['allocated']} people allocated, "
            f"{len(variables)} baseline variables by order."
        )

    def alike(self) -> str:
        """Say which limits all arms share, and which stages only some have."""
        stages = [stage for stage in self.raw.get("stages", ()) if stage.get("minutes")]
        limits = [f"{stage['id']} {stage['minutes']:g} min" for stage in stages if not stage.get("arms")]
        some = [str(stage["id"]) for stage in self.raw.get("stages", ()) if stage.get("arms")]
        if not limits:
            return ""
        if some:
            return f"Every arm has the limits {', '.join(limits)}; only some arms have the stages {', '.join(some)}."
        found = f"Every arm has the same stages and limits: {', '.join(limits)}."
        again = " People who do not respond are randomised to a second treatment." if self._second() else ""
        return found + again

    def _second(self) -> bool:
        study = self.prepared.dataset.study.study
        return study is not None and bool(study.second_decision)

    def one_subject(self) -> str:
        """Name what is measured."""
        return f"Not met by this study alone: its outcomes are {', '.join(o.title for o in self.plan.outcomes)}."

    def registered(self) -> str:
        """Say when the plan was frozen, and what changed."""
        found = self.result["provenance"]["registration"]
        if not found["frozen_at"]:
            return f"Not met: {found['note']}."
        return f"Frozen at launch, {found['frozen_at'][:10]}; {len(found['amendments'])} amendment(s)."

    def ethics(self) -> str:
        """Give the approval."""
        found = str(self.raw.get("ethics", ""))
        return f"Approval: {ended(found)}" if found else ""

    def exact_p(self) -> str:
        """Give the exact p values of the primary rows."""
        rows = [r for r in self.result["estimates"] if r["role"] == "primary" and r["p_value"] is not None]
        parts = (f"{row['id']}: p {row['p_value']:.2g}{' (below .005)' * (row['p_value'] < NEW_CLAIM)}" for row in rows)
        return "; ".join(parts)

    def agreement(self) -> str:
        """Say whether people coded beside the machine."""
        found = self.result["agreement"]
        return "Agreement of human and machine codes is in results.json: agreement." if found else ""

    def measures(self) -> str:
        """Name control and outcomes."""
        control = treatment_label(self.prepared, self.prepared.compared[0]) if self.prepared.compared else "no arm"
        return f"Compared with {control}; outcomes: {', '.join(o.title for o in self.plan.outcomes)}."

    def estimands(self) -> str:
        """Quote the variables of the estimands."""
        return " ".join(f"{each.outcome}: {each.variable}" for each in estimands(self.prepared, self.result))

    def reliability(self) -> str:
        """Point at the quiz's figures."""
        found = self.result["psychometrics"]
        alpha = found.get("alpha") or {}
        if alpha.get("value") is None:
            return ""
        ends = (alpha.get("ci_low"), alpha.get("ci_high"))
        limits = f" ({decimal(ends[0], 2)} to {decimal(ends[1], 2)})" if None not in ends else ""
        figures = f"{decimal(alpha['value'], 2)}{limits}, {found['n']} people"
        return f"Cronbach's alpha of the quiz {figures}; items are in the report."

    def use(self) -> str:
        """Point at the use of the assistant."""
        return "Queries, codes and patterns of use by person." if self.result["styles"] else ""

    def allocation(self) -> str:
        """Name the method."""
        method = str(dict(self.raw.get("allocation", {})).get("method", "")).replace("_", " ")
        if self.result["masked"] or not method:
            return ""
        return f"{method.capitalize()}; every allocation is in the ledger, and `study verify` recomputes it."

    def contamination(self) -> str:
        """Count who received AI by arm."""
        arms = self.result["flow"]["arms"]
        # In a crossover everyone has the assistant in a period, so that the counts say nothing of contamination.
        if self.prepared.sequence or any(arm["received"] is None for arm in arms.values()):
            return ""
        parts = (f"{prepared_label(self.prepared, n)} {a['received']} of {a['allocated']}" for n, a in arms.items())
        return f"Received AI, from any source: {', '.join(parts)}."

    def attrition(self) -> str:
        """Count who was analysed by arm."""
        arms = self.result["flow"]["arms"]
        parts = (f"{prepared_label(self.prepared, n)} {a['analysed']} of {a['allocated']}" for n, a in arms.items())
        return f"In the first primary analysis: {', '.join(parts)}."

    def people(self) -> str:
        """Say how many, and by which way in."""
        flow, entry = self.result["flow"], dict(self.raw.get("recruitment", {})).get("entry", "")
        way = f", way in: {entry}" if entry else ""
        return f"{flow['assessed']} assessed, {flow['allocated']} allocated{way}."

    def groups(self) -> str:
        """Name the planned subgroups."""
        ids = {row["id"]: row["status"] for row in self.result["estimates"] if ".interaction." in row["id"]}
        names, statuses = [], set()
        for entry in self.plan.subgroups:
            mine = [status for row, status in ids.items() if row.endswith(f".interaction.{entry.column}")]
            names += [entry.label or entry.column] if mine else []
            statuses |= set(mine)
        if not names:
            return "Not met: no interaction with a subgroup was estimated."
        planned = "planned" if statuses == {"prespecified"} else ", ".join(sorted(statuses))
        return f"Interactions with {', '.join(names)}, {planned}."

    def size(self) -> str:
        """Give the target."""
        target = dict(self.raw.get("recruitment", {})).get("target_n")
        return f"Target {target}; `study power` gives its power." if target else ""

    def family(self) -> str:
        """Give the multiplicity rule."""
        primary = sum(row["role"] == "primary" for row in self.result["estimates"])
        rule = f"{self.plan.multiplicity.method.capitalize()} over {primary} primary rows"
        return f"{rule if primary > 1 else 'One primary row, with nothing to adjust for'}; {self.registered()}"

    def primary(self) -> str:
        """Give the primary estimates with their intervals."""
        rows = [r for r in self.result["estimates"] if r["role"] == "primary" and r["estimate"] is not None]
        return "; ".join(f"{row['id']}: {with_interval(row, shown(row))} {shown(row).unit}" for row in rows)

    def margins(self) -> str:
        """Give the margins of equivalence."""
        return "; ".join(f"{each.outcome}: {each.margin:g}" for each in self.plan.margins)

    def shared(self) -> str:
        """Name what is in the dataset."""
        licence = str(dict(self.raw.get("dataset", {})).get("license", ""))
        return f"Dataset with codebook, materials and analysis scripts{f', {licence}' if licence else ''}."

    def verified(self) -> str:
        """Give the hash of the data."""
        digest = self.result["provenance"]["dataset_sha256"][:12]
        return f"The hash of the data begins with {digest}; `study verify` checks what they rest on."

    def _stages(self, kind: str) -> list[Mapping[str, Any]]:
        return [stage for stage in self.raw.get("stages", ()) if stage.get("kind") == kind]
