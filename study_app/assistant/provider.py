"""Asks the provider about the models that a study declares: for `launch`, `create-links` and `doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from study_app.assistant.interviewing.parameters import interviewer_parameters
from study_app.assistant.opening import BASE_URL_VARIABLE, provider_in_use
from study_app.domain.assistants.drift import OF_INTERVIEW
from study_app.domain.assistants.served_models import (
    UNKNOWN,
    DeclaredModel,
    ModelFacts,
    ModelLook,
    OnRetirement,
    model_problems,
    model_warnings,
)
from study_app.domain.assistants.treatments import API_KEY_VARIABLE, AssistantSpec
from study_app.domain.errors import AssistantUnavailable, Problem, ProblemsFound
from study_app.domain.interviews.plan import InterviewPlan


@dataclass
class ProviderCheck:
    """What the provider said about every treatment that it answers for."""

    models: dict[str, ModelFacts] = field(default_factory=dict)
    """Treatment, or `interview` with the plan's id -> its model."""
    problems: list[Problem] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    """One sentence for each model that could not be asked about: whether it can be given is not known."""
    warnings: list[str] = field(default_factory=list)

    def refuse_problems(self) -> None:
        """Go on only if every treatment can be given as declared, or could not be asked about.

        Raises:
            ProblemsFound: a key that is not accepted, a model that is unknown, retired, or retires before recruitment
                ends, parameters that it does not take.
        """
        if self.problems:
            raise ProblemsFound(sorted(self.problems))


def check_provider(
    specs: Mapping[str, AssistantSpec],
    environment: Mapping[str, str],
    ends_on: date | None,
    file: str,
    plans: Mapping[str, InterviewPlan] | None = None,
    *,
    on_retirement: OnRetirement = "refuse",
    replaced: Mapping[str, str] | None = None,
) -> ProviderCheck:
    """Ask about each model that Claude serves on this machine; without a key there is none, and nothing is asked.

    Args:
        specs: The study's treatments by name.
        environment: Holds the key and, where set, the provider's address.
        ends_on: The last day of recruitment.
        file: The study file, for messages.
        plans: Plans of interviews by their files; those in which a model chooses follow-ups are asked about.
        on_retirement: What the study does once a model is retired; where it does anything, an early end keeps nothing
            from going on.
        replaced: Treatments that a recording answers by now in their model's place, with what to say of it: nothing is
            asked about these.
    """
    replaced = replaced or {}
    found = ProviderCheck(warnings=[f"'{name}' is {said}" for name, said in replaced.items()])
    declared = {
        name: DeclaredModel.of(spec.model_copy(update={"id": name}), file)
        for name, spec in specs.items()
        if provider_in_use(spec, environment) == "claude" and name not in replaced
    }
    declared |= _interviewing(plans, environment)
    asked: dict[str, ModelFacts | AssistantUnavailable] = {}
    for name, each in declared.items():
        if each.model not in asked:
            asked[each.model] = _ask(each, environment)
        _add(found, name, each, asked[each.model], ends_on, on_retirement)
    # Treatments that share a model or a key share what is to be said about it.
    return replace(
        found,
        problems=list(dict.fromkeys(found.problems)),
        unreachable=list(dict.fromkeys(found.unreachable)),
        warnings=list(dict.fromkeys(found.warnings)),
    )


def look_at_models(
    specs: Mapping[str, AssistantSpec],
    environment: Mapping[str, str],
    now: datetime,
    plans: Mapping[str, InterviewPlan] | None = None,
) -> list[ModelLook]:
    """Return what can be known today of the model of each treatment and interviewer, asked without a token.

    Without a key no model chooses questions of interviews, and there is nothing to look at.
    """
    declared = {name: DeclaredModel.of(spec, name) for name, spec in specs.items()}
    providers = {name: provider_in_use(spec, environment) for name, spec in specs.items()}
    interviewing = _interviewing(plans, environment)
    declared |= interviewing
    providers |= dict.fromkeys(interviewing, "claude")
    asked: dict[str, ModelFacts | AssistantUnavailable] = {}
    found = []
    for name, each in declared.items():
        if providers[name] != "claude":
            found.append(ModelLook(now.isoformat(), name, providers[name]))
            continue
        if each.model not in asked:
            asked[each.model] = _ask(each, environment)
        answer = asked[each.model]
        said = answer if isinstance(answer, ModelFacts) else _unsaid(answer)
        found.append(ModelLook.of(now, name, "claude", each.model, said))
    return found


def _unsaid(failure: AssistantUnavailable) -> str:
    return f"{UNKNOWN if failure.kind == 'unknown_model' else 'not known'}: {failure}"


def _interviewing(
    plans: Mapping[str, InterviewPlan] | None, environment: Mapping[str, str]
) -> dict[str, DeclaredModel]:
    """Return the models that choose questions of interviews here: none without a key."""
    if not environment.get(API_KEY_VARIABLE, "").strip():
        return {}
    return {
        f"{OF_INTERVIEW}{plan.id}": DeclaredModel(plan.model, interviewer_parameters(plan), where)
        for where, plan in (plans or {}).items()
        if plan.asks_model
    }


def _ask(declared: DeclaredModel, environment: Mapping[str, str]) -> ModelFacts | AssistantUnavailable:
    # Imported here, for the SDK takes a second that only a server with a key should wait for.
    from study_app.assistant.claude import ClaudeAssistant, Patience

    base_url = environment.get(BASE_URL_VARIABLE, "").strip() or None
    key = environment[API_KEY_VARIABLE].strip()
    spec = AssistantSpec(id="asked", version="1", label="asked", prompt="asked", model=declared.model)
    claude = ClaudeAssistant(spec, api_key=key, base_url=base_url, patience=Patience(stall=10.0, retries=1))
    try:
        return asyncio.run(claude.facts())
    except AssistantUnavailable as error:
        return error


def _add(
    found: ProviderCheck,
    name: str,
    declared: DeclaredModel,
    answer: ModelFacts | AssistantUnavailable,
    ends_on: date | None,
    on_retirement: OnRetirement,
) -> None:
    if isinstance(answer, ModelFacts):
        found.models[name] = answer
        found.problems += model_problems(declared, answer, ends_on if on_retirement == "refuse" else None)
        found.warnings += model_warnings(declared, answer, ends_on, on_retirement=on_retirement)
    elif answer.kind == "authentication":
        what = "the provider does not accept the key"
        found.problems.append(Problem("environment", API_KEY_VARIABLE, what, "set a key that is valid"))
    elif answer.kind == "unknown_model":
        what = f"the provider knows no model '{declared.model}'"
        found.problems.append(Problem(declared.file, declared.key, what, "correct its name"))
    else:
        found.unreachable.append(f"the provider could not be asked about '{declared.model}' ({answer})")
