"""What a provider says about a model, and whether the treatment that names it can be given as declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from study_app.domain.assistants.treatments import AssistantSpec, Parameters
from study_app.domain.errors import Problem

ModelLifecycle = Literal["active", "deprecated", "retired"]
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
        yield Problem(file, key, what, "choose a model that is served longer, or end recruitment before")
    yield from _parameters(declared, facts)


def model_warnings(declared: DeclaredModel, facts: ModelFacts, ends_on: date | None) -> list[str]:
    """Return what to know although it keeps nothing from going on."""
    if facts.lifecycle == "retired" or (facts.lifecycle == "active" and facts.retires_at is None):
        return []
    when = f" on {facts.retires_at.date()}" if facts.retires_at else ""
    unknown = "; say when recruitment ends (recruitment.ends_on)" if ends_on is None else ""
    return [f"the provider has announced the end of '{declared.model}'{when}{unknown}"]


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
    """Whether a served id is the declared model: the same, or the dated snapshot of a name without a date."""
    return served == declared or (not _DATED.search(declared) and _DATED.sub("", served) == declared)
