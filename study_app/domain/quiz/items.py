"""An item bank as participants may see it. What is right lives in `item_keys`, a separate type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from study_app.domain.errors import Problem
from study_app.domain.file_tables import FileTable

ItemType = Literal["conceptual", "code_reading", "debugging", "code_writing", "attention_check"]
"""What an item asks of the participant. Attention checks score no points."""
ItemKind = Literal["single_choice", "multiple_select", "short_text", "code"]
"""How an item is answered."""
CHOICE_KINDS: tuple[ItemKind, ...] = ("single_choice", "multiple_select")

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
Points = Annotated[float, Field(strict=True, ge=0, le=1000, allow_inf_nan=False)]


class ContentSection(FileTable):
    """A piece of a content file: fixed once read, and without unused keys."""


class ChoiceOption(ContentSection):
    """One option of a choice item."""

    id: Identifier
    text: Text
    """Markdown."""


class Item(ContentSection):
    """The public half of one question."""

    id: Identifier
    type: ItemType
    kind: ItemKind
    concept: Identifier
    task: Identifier | None = None
    """The task pack that taught it; None for an item of no task."""
    points: Points
    prompt: Text
    """Markdown."""
    code: str = ""
    """The program shown under the prompt, if any."""
    starter: str = ""
    """What the answer box of a `code` item holds at first."""
    options: tuple[ChoiceOption, ...] = ()
    rows: Annotated[int, Field(ge=1, le=60)] = 1
    """Height of the answer box in lines."""
    family: Identifier | None = None
    """Isomorphic items of parallel forms share it."""


class Form(ContentSection):
    """One of several parallel sets of items, in pages, so that no item on a page hints at another."""

    id: Identifier
    title: str = ""
    pages: Annotated[tuple[Annotated[tuple[Identifier, ...], Field(min_length=1)], ...], Field(min_length=1)]
    """Item ids in the order shown."""

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Every item of the form in the order shown."""
        return tuple(item for page in self.pages for item in page)


class BankHead(ContentSection):
    """What `bank.toml` says."""

    id: Identifier
    title: Text
    version: Text
    points: Points
    """What every form is worth in total."""
    language: str = "en"
    packages: tuple[str, ...] = ()
    """Import names that programs of the bank may use beyond the standard library."""
    concepts: dict[Identifier, Text]
    """Concept id -> its readable name."""
    tasks: tuple[Identifier, ...] = ()
    """Task packs that the items refer to."""
    forms: Annotated[tuple[Form, ...], Field(min_length=1)]


class Bank(BankHead):
    """An item bank without keys."""

    items: tuple[Item, ...]

    def item(self, item_id: str) -> Item:
        """Return the item of that id.

        Raises:
            KeyError: the bank has no such item.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    def form(self, form_id: str | None = None) -> Form:
        """Return the form of that id; the first one without an id.

        Raises:
            KeyError: the bank has no such form.
        """
        for form in self.forms:
            if form_id == form.id or not form_id:
                return form
        raise KeyError(form_id)

    def items_of(self, form_id: str | None = None) -> tuple[Item, ...]:
        """Return the items of a form (the first one without an id) in the order shown."""
        return tuple(self.item(item_id) for item_id in self.form(form_id).item_ids)

    def pages_of(self, form_id: str | None = None) -> tuple[tuple[Item, ...], ...]:
        """Return the items of a form page by page."""
        return tuple(tuple(self.item(item_id) for item_id in page) for page in self.form(form_id).pages)

    def filled(self, text: str, form_id: str | None = None) -> str:
        """Return a text about the quiz with `{items}` and `{pages}` filled in.

        The questions shown, and the pages they are on.
        """
        form = self.form(form_id)
        return text.replace("{items}", str(len(form.item_ids))).replace("{pages}", str(len(form.pages)))


def item_problems(item: Item, head: BankHead, file: str, bank_file: str) -> Iterator[Problem]:
    """Yield what is wrong with one item, by itself and against its bank."""
    if item.concept not in head.concepts:
        yield Problem(
            file, "concept", f"'{item.concept}' is not a concept of the bank", _known(head.concepts, bank_file)
        )
    if item.task is not None and item.task not in head.tasks:
        yield Problem(file, "task", f"'{item.task}' is not a task of the bank", _known(head.tasks, bank_file))
    if item.type == "attention_check" and item.points:
        yield Problem(file, "points", f"an attention check scores no points, found {item.points:g}", "set points = 0")
    if item.type != "attention_check" and not item.points:
        yield Problem(file, "points", "a scored item is worth nothing", "give it points, or type 'attention_check'")
    if item.type == "code_reading" and not item.code.strip():
        yield Problem(file, "code", "a code_reading item shows no program", "add `code`")
    if item.starter and item.kind != "code":
        yield Problem(file, "starter", f"an item of kind {item.kind} has no starter", "remove it, or set kind 'code'")
    yield from _option_problems(item, file)


def form_problems(head: BankHead, items: dict[str, Item], file: str) -> Iterator[Problem]:
    """Yield what is wrong with the forms of a bank, given its items by id."""
    for form_id in _repeated(form.id for form in head.forms):
        yield Problem(file, "forms", f"form '{form_id}' is there twice", "give each form a different id")
    for form in head.forms:
        yield from _page_problems(form, items, head.points, file)
    placed = {item_id for form in head.forms for item_id in form.item_ids}
    for item_id in items:
        if item_id not in placed:
            yield Problem(file, "forms", f"item '{item_id}' is on no page", "put it on a page or delete its files")


def _page_problems(form: Form, items: dict[str, Item], points: float, file: str) -> Iterator[Problem]:
    key = f"forms.{form.id}.pages"
    unknown = [item_id for item_id in form.item_ids if item_id not in items]
    for item_id in unknown:
        yield Problem(file, key, f"there is no item '{item_id}'", f"add items/{item_id}.toml or take it off the page")
    twice = _repeated(form.item_ids)
    for item_id in twice:
        yield Problem(file, key, f"item '{item_id}' is there twice", "leave it on one page")
    total = sum(items[item_id].points for item_id in form.item_ids if item_id in items)
    if not unknown and not twice and abs(total - points) > 1e-9:
        remedy = "correct `points` or the items"
        yield Problem(file, key, f"the items are worth {total:g} points, the bank says {points:g}", remedy)


def _option_problems(item: Item, file: str) -> Iterator[Problem]:
    if item.kind not in CHOICE_KINDS:
        if item.options:
            yield Problem(file, "options", f"an item of kind {item.kind} has no options", "remove them")
        return
    if len(item.options) < 2:
        yield Problem(file, "options", f"found {len(item.options)}", "a choice needs at least two options")
    for option_id in _repeated(option.id for option in item.options):
        yield Problem(file, "options", f"option '{option_id}' is there twice", "give each option a different id")
    for text in _repeated(option.text.strip() for option in item.options):
        yield Problem(file, "options", f"two options read '{text}'", "reword one of them")


def _repeated(names: Any) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _known(names: Any, file: str) -> str:
    return f"use one of {', '.join(sorted(names)) or '(none declared)'}, or declare it in {file}"
