"""What a provider says about a model, and whether the treatment that names it can be given as declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from study_app.domain.assistants.treatments import AssistantSpec, Parameters
from study_app.domain.errors import Problem

ModelLifecycle = Literal["active", "deprecated", "retired"]
OnRetirement = Literal["refuse", "stop", "replay"]
"""What a study does about a model whose provider ends it: assistant_policy.on_retirement."""
_THEN: dict[OnRetirement, str] = {
    "refuse": "",
    "stop": '; enrolment closes then (assistant_policy.on_retirement = "stop")',
    "replay": '; what was recorded answers from then on (assistant_policy.on_retirement = "replay")',
}
UNKNOWN = "not served"
"""How the `problem` of a look begins whose model the provider does not know."""
_DATED = re.compile(r"-\d{8}$")


@dataclass(frozen=True)
class ModelFacts:
    """One model, as its provider describes it."""

    id: str
    name: str
    lifecycle: ModelLifecycle = "active"
    retires_at: datetime | None = None
    max_tokens: int | None = None
    """Longest reply that it accepts to be asked for; None where the provider does not say."""
    refused: frozenset[str] = frozenset()
    """Parameters, as `thinking:off` or `effort:low`, that this model does not accept by the provider's word."""

    @property
    def summary(self) -> str:
        """One line for people."""
        retiring = f", retires {self.retires_at.date().isoformat()}" if self.retires_at else ""
        return f"{self.name} ({self.id}, {self.lifecycle}{retiring})"


@dataclass(frozen=True)
class DeclaredModel:
    """A model as a file declares it, with the keys by which messages name what is wrong."""

    model: str
    parameters: Parameters
    file: str
    key: str = "model"
    parameters_key: str = ""
    """What stands before a parameter's own name."""

    @classmethod
    def of(cls, spec: AssistantSpec, file: str) -> DeclaredModel:
        """Return what a treatment declares, as the study file names it."""
        place = f"assistants.{spec.id}"
        return cls(spec.model, spec.parameters, file, f"{place}.model", f"{place}.parameters.")


@dataclass(frozen=True)
class ModelLook:
    """What the provider said of a treatment's model on one day, as it is kept."""

    looked_at: str
    treatment: str
    provider: str
    """Who answers: claude, notes or recorded."""
    model: str = ""
    """As the treatment names it; empty where no model answers."""
    served: str = ""
    name: str = ""
    lifecycle: str = ""
    retires_at: str = ""
    max_tokens: int | None = None
    refused: str = ""
    """Parameters that the model does not accept, joined by spaces."""
    problem: str = ""
    """Why nothing is known."""

    @classmethod
    def of(cls, looked_at: datetime, treatment: str, provider: str, model: str, found: ModelFacts | str) -> ModelLook:
        """Return a look from what the provider said, or from why it said nothing."""
        at = looked_at.isoformat()
        if isinstance(found, str):
            return cls(at, treatment, provider, model, problem=found)
        leaves = found.retires_at.isoformat() if found.retires_at else ""
        refused = " ".join(sorted(found.refused))
        return cls(at, treatment, provider, model, found.id, found.name, found.lifecycle, leaves, found.max_tokens,
                   refused)  # fmt: skip

    def days_left(self, now: datetime) -> int | None:
        """Return whole days until the model retires; None where no end is announced."""
        return (datetime.fromisoformat(self.retires_at) - now).days if self.retires_at else None

    def is_retired(self, now: datetime) -> bool:
        """Return whether the provider refuses the model, or said that it would by now."""
        return self.lifecycle == "retired" or (bool(self.retires_at) and datetime.fromisoformat(self.retires_at) <= now)

    @property
    def is_unknown(self) -> bool:
        """Whether the provider knows no such model: it was never served, or is not any more."""
        return self.problem.startswith(UNKNOWN)

    def differs_from(self, other: ModelLook) -> bool:
        """Return whether it says other than another look."""
        return replace(self, looked_at="") != replace(other, looked_at="")

    @property
    def summary(self) -> str:
        """One line for people."""
        if self.problem:
            return self.problem
        if not self.served:
            return f"answered by {self.provider}, no model"
        retiring = f", retires {self.retires_at[:10]}" if self.retires_at else ""
        return f"{self.name} ({self.served}, {self.lifecycle}{retiring})"

    def warning(self, now: datetime, ends_on: date | None) -> str | None:
        """Return what keeps the treatment from being given until recruitment ends, as a sentence, or None."""
        if self.lifecycle == "retired":
            return f"The model '{self.model}' of the treatment '{self.treatment}' is retired: the provider refuses it."
        leaves = datetime.fromisoformat(self.retires_at) if self.retires_at else None
        if leaves is None or (ends_on is not None and leaves.date() > ends_on):
            return None
        end = "before recruitment ends" if ends_on else "and the study does not say when recruitment ends"
        left = self.days_left(now)
        return (
            f"The model '{self.model}' of the treatment '{self.treatment}' retires on {leaves.date()}, in {left} days, "
            f"{end}{f' ({ends_on})' if ends_on else ''}. End recruitment before, or plan what replaces it."
        )


def model_problems(declared: DeclaredModel, facts: ModelFacts, ends_on: date | None) -> Iterator[Problem]:
    """Yield what keeps a model from being used as declared until recruitment ends.

    Args:
        declared: The model.
        facts: What the provider says about it.
        ends_on: The last day of recruitment; None where the study does not say.
    """
    file, key = declared.file, declared.key
    if facts.lifecycle == "retired":
        yield Problem(
            file, key, f"'{declared.model}' is retired: the provider refuses it", "choose a model that is served"
        )
        return
    if not same_model(declared.model, facts.id):
        what = f"the provider takes '{declared.model}' for '{facts.id}', which its replies will name"
        yield Problem(file, key, what, "name the model that is to be served")
    leaves = facts.retires_at.date() if facts.retires_at else None
    if leaves is not None and ends_on is not None and leaves <= ends_on:
        what = f"'{declared.model}' retires on {leaves}, before recruitment ends ({ends_on})"
        yield Problem(
            file,
            key,
            what,
            "choose a model that is served longer, end recruitment before, or say "
            'assistant_policy.on_retirement = "stop" or "replay"',
        )
    yield from _parameters(declared, facts)


def model_warnings(
    declared: DeclaredModel, facts: ModelFacts, ends_on: date | None, *, on_retirement: OnRetirement = "refuse"
) -> list[str]:
    """Return what to know although it keeps nothing from going on.

    Args:
        declared: The model.
        facts: What the provider says about it.
        ends_on: The last day of recruitment; None where the study does not say.
        on_retirement: What the study does then.
    """
    if facts.lifecycle == "retired" or (facts.lifecycle == "active" and facts.retires_at is None):
        return []
    when = f" on {facts.retires_at.date()}" if facts.retires_at else ""
    asks = ends_on is None and on_retirement == "refuse"
    unknown = "; say when recruitment ends (recruitment.ends_on)" if asks else ""
    return [f"the provider has announced the end of '{declared.model}'{when}{unknown}{_THEN[on_retirement]}"]


def _parameters(declared: DeclaredModel, facts: ModelFacts) -> Iterator[Problem]:
    given, file, key = declared.parameters, declared.file, declared.parameters_key
    asked = [f"thinking:{given.thinking}" if given.thinking else "", f"effort:{given.effort}" if given.effort else ""]
    for one in asked:
        if one in facts.refused:
            name, _, value = one.partition(":")
            what = f"'{declared.model}' does not accept {name} = \"{value}\""
            yield Problem(file, f"{key}{name}", what, "leave it out or choose another")
    if facts.max_tokens is not None and given.max_tokens > facts.max_tokens:
        what = f"{given.max_tokens} is over what '{declared.model}' accepts ({facts.max_tokens})"
        yield Problem(file, f"{key}max_tokens", what, f"give at most {facts.max_tokens}")


def same_model(declared: str, served: str) -> bool:
    """Return whether a served id is the declared model: the same, or the dated snapshot of a name without a date."""
    return served == declared or (not _DATED.search(declared) and _DATED.sub("", served) == declared)
