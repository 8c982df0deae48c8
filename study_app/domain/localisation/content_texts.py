"""The texts of banks, packs and assistants that participants read, and the same in another language.

Keys: `banks.trio.items.q1.prompt`, `banks.trio.items.q1.options.a`, `tasks.warmup.brief`, `assistants.full.greeting`.
What decides (keys of items, checks, prompts) is the same in every language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from study_app.domain.assistants.personas import JOINT, assistant_of
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.content.content_paths import name_of
from study_app.domain.localisation.study_texts import Say
from study_app.domain.quiz.items import Bank, Item
from study_app.domain.tasks.packs import TaskPack

_ITEM = ("prompt", "code", "starter")
OPTIONAL_ENDINGS = (".code", ".starter", ".reference")
"""Programs need no translation; neither do notes on a library, whose own words are English."""


def bank_texts(folder: str, bank: Bank) -> Iterator[tuple[str, str]]:
    """Yield the texts of a bank's items."""
    for item in bank.items:
        key = f"banks.{name_of(folder)}.items.{item.id}"
        for name in _ITEM:
            yield f"{key}.{name}", getattr(item, name)
        for option in item.options:
            yield f"{key}.options.{option.id}", option.text


def pack_texts(folder: str, pack: TaskPack) -> Iterator[tuple[str, str]]:
    """Yield the texts of a task pack; names of its examples are among them."""
    key = f"tasks.{name_of(folder)}"
    yield f"{key}.title", pack.title
    yield f"{key}.brief", pack.brief
    yield f"{key}.reference", pack.reference
    for check in pack.examples:
        yield f"{key}.examples.{check.name}", check.name


def assistant_texts(name: str, spec: AssistantSpec) -> Iterator[tuple[str, str]]:
    """Yield what a page shows of an assistant."""
    yield f"assistants.{assistant_of(name)}.label", spec.label
    yield _greeting_key(name, spec), spec.greeting


def _greeting_key(name: str, spec: AssistantSpec) -> str:
    if JOINT in name and spec.persona is not None and spec.persona.greeting:
        return f"personas.{spec.persona.id}.greeting"
    return f"assistants.{assistant_of(name)}.greeting"


def localised_bank(folder: str, bank: Bank, say: Say) -> Bank:
    """Return the bank in another language; ids, points and keys are the same."""
    return bank.model_copy(update={"items": tuple(localised_item(folder, item, say) for item in bank.items)})


def localised_item(folder: str, item: Item, say: Say) -> Item:
    """Return an item in another language."""
    key = f"banks.{name_of(folder)}.items.{item.id}"
    options = tuple(
        option.model_copy(update={"text": say(f"{key}.options.{option.id}", option.text)}) for option in item.options
    )
    said = {name: say(f"{key}.{name}", getattr(item, name)) for name in _ITEM}
    return item.model_copy(update=said | {"options": options})


def localised_pack(folder: str, pack: TaskPack, say: Say) -> TaskPack:
    """Return the pack in another language; starter, solution and checks are the same."""
    key = f"tasks.{name_of(folder)}"
    settings = pack.settings.model_copy(update={"title": say(f"{key}.title", pack.title)})
    brief, reference = say(f"{key}.brief", pack.brief), say(f"{key}.reference", pack.reference)
    return replace(pack, settings=settings, brief=brief, reference=reference)


def localised_assistant(name: str, spec: AssistantSpec, say: Say) -> AssistantSpec:
    """Return what a page shows of an assistant, in another language; what shapes its replies is the same."""
    label = say(f"assistants.{assistant_of(name)}.label", spec.label)
    greeting = say(_greeting_key(name, spec), spec.greeting)
    return spec.model_copy(update={"label": label, "greeting": greeting})
