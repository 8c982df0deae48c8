"""What data and results say of assistants and models, a sentence a fact, for the checklists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.data.dataset import DeclaredArm
from analysis.pipeline.prepare import Prepared
from analysis.report.checklists.extensions import prepared_label

Result = Mapping[str, Any]


def treatment_label(prepared: Prepared, arm: str) -> str:
    """Return what readers see for an arm, or for a treatment of a crossover's periods."""
    named = {entry.id: entry.label or entry.id for entry in _treatments(prepared)}
    return named.get(arm, prepared_label(prepared, arm))


def _treatments(prepared: Prepared) -> tuple[DeclaredArm, ...]:
    """Return the arms, of a crossover those that its orders are made of."""
    return prepared.dataset.study.arms if prepared.sequence else prepared.view.arms


class TreatmentFacts:
    """The facts on what participants were offered and what answered; empty where nothing is known."""

    def __init__(self, prepared: Prepared, result: Result) -> None:
        self.prepared, self.result = prepared, result
        self.raw, self.plan = prepared.dataset.study.raw, prepared.fitted

    def role(self) -> str:
        """Say which arms have an assistant, and who coded queries."""
        if self.prepared.view.masked:
            return f"Which arms offer an assistant is withheld until unsealing; queries are coded by {self.plan.coder}."
        arms = [treatment_label(self.prepared, arm.id) for arm in _treatments(self.prepared) if arm.assistant]
        offered = f"Offered to participants in: {', '.join(arms)}" if arms else "No arm offers an assistant"
        offered += ", a period of each person" if arms and self.prepared.sequence else ""
        return f"{offered}; queries are coded by {self.plan.coder}."

    def models(self) -> str:
        """Name the models that answered."""
        turns = self._turns()
        if turns is None or "model" not in turns:
            return ""
        kinds = Counter(zip(turns["model"], turns["prompt_version"], strict=True))
        listed = "; ".join(f"{model}, prompt {prompt}: {count}" for (model, prompt), count in kinds.most_common())
        return f"Turns by model and version of the prompt: {listed}."

    def around(self) -> str:
        """Name the assistants' files."""
        names = [f"{name} ({entry.get('file')})" for name, entry in dict(self.raw.get("assistants", {})).items()]
        return f"Assistants: {', '.join(names)}; each as it was used lies under materials/." if names else ""

    def logs(self) -> str:
        """Count the turns that are in the dataset."""
        turns = self._turns()
        count = 0 if turns is None else len(turns)
        return (
            f"{count} turns with message, reply and times in the table turns; prompts under materials/."
            if count
            else ""
        )

    def open_model(self) -> str:
        """Say which assistants run without a provider."""
        turns = self._turns()
        if turns is None or "model" not in turns:
            return ""
        return f"Models that answered: {', '.join(sorted(map(str, turns['model'].dropna().unique())))}."

    def stayed(self) -> str:
        """Say whether the models answered fixed questions as at the launch."""
        rows = self.result.get("models", {}).get("compared", [])
        newest = {row["treatment"]: row for row in rows}
        said = [
            f"{name} in round {row['round']}: {'; '.join(row['drifts']) or 'as at first, within the margins'}"
            for name, row in newest.items()
        ]
        return f"Fixed questions asked again: {'. '.join(said)}." if said else self.models()

    def repeated(self) -> str:
        """Say how many replies to the same questions were the same."""
        rows = self.result.get("models", {}).get("compared", [])
        parts = (f"{row['treatment']} {row['exact']:.0%} word for word, {row['near']:.0%} nearly" for row in rows[-3:])
        return f"Of replies to the same questions: {'; '.join(parts)}." if rows else ""

    def settings(self) -> str:
        """Point at the settings."""
        return "Prompt, model and parameters of each treatment lie under materials/." if self._assistants() else ""

    def prompting(self) -> str:
        """Say what a request holds."""
        if not self._assistants():
            return ""
        return "Each request holds the treatment's prompt, the brief, the program and up to 20 earlier turns."

    def prompts(self) -> str:
        """Name the files with prompts."""
        names = sorted({str(entry.get("file")) for entry in self._assistants().values()})
        return f"Word for word under materials/: {', '.join(names)}." if names else ""

    def hosting(self) -> str:
        """Count the turns by who answered."""
        turns = self._turns()
        if turns is None or "assistant" not in turns:
            return ""
        where = {"claude": "its provider's service", "notes": "the study's own server, without a model",
                 "recorded": "a recording on the study's own server"}  # fmt: skip
        kinds = Counter(turns["assistant"].astype("string").fillna("?"))
        return "; ".join(f"{count} turns by {where.get(name, name)}" for name, count in kinds.most_common()) + "."

    def agents(self) -> str:
        """Say whether an assistant acts."""
        if "agent_actions" not in self.prepared.view.tables:
            return "Not applicable: no assistant acts."
        return "Tools, approval and limits stand in the assistants' files; decisions in agent_actions."

    def steps(self) -> str:
        """Count the steps of acting assistants."""
        tables = self.prepared.view.tables
        if "agent_actions" not in tables:
            return "Not applicable: no assistant acts."
        return f"{len(tables['agent_actions'])} steps in agent_actions, each with tool, input, decision and result."

    def collected(self) -> str:
        """Say how messages were collected and coded."""
        turns = self._turns()
        if turns is None:
            return ""
        return f"{len(turns)} messages, logged as they were sent; coded by {self.plan.coder}."

    def baseline(self) -> str:
        """Name the control."""
        arms = {arm.id: arm for arm in _treatments(self.prepared)}
        control = arms.get(self.prepared.compared[0]) if self.prepared.compared else None
        if control is None or self.prepared.view.masked:
            return ""
        name = treatment_label(self.prepared, control.id)
        said = f"The control is '{name}', which offers no assistant."
        return said if not control.assistant else f"Not met: the control, '{name}', has an assistant, too."

    def kept(self) -> str:
        """Say what of the models is in the dataset."""
        found = self.result.get("models", {})
        rounds, turns = len(found.get("rounds", [])), self._turns()
        if not rounds and turns is None:
            return ""
        count = 0 if turns is None else len(turns)
        return f"{count} turns and {rounds} rounds of fixed questions with whole replies; study record replays turns."

    def _turns(self) -> pd.DataFrame | None:
        """Return the turns of the people who are analysed; None where there are none, or they are withheld."""
        tables = self.prepared.view.tables
        return tables["turns"] if "turns" in tables and len(tables["turns"]) else None

    def _assistants(self) -> Mapping[str, Mapping[str, Any]]:
        return dict(self.raw.get("assistants", {}))
