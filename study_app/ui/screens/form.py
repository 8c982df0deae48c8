"""What quiz pages and surveys share: their fields for the component, and the way on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from study_app.domain.errors import present
from study_app.domain.quiz.answering import LONGEST_TEXT
from study_app.domain.quiz.confidence import STEPS, confidence_field
from study_app.domain.quiz.items import Item
from study_app.domain.quiz.scoring import MAX_RESPONSE_CHARS
from study_app.domain.study.study import Question
from study_app.page_assets import addresses
from study_app.services.position import OnStage
from study_app.ui.components import form
from study_app.ui.components.views import FormAct, FormData, FormField
from study_app.ui.markdown import to_html
from study_app.ui.page import Page

NUMBER_CHARS = 60
_NOTHING: FormField = {
    "id": "",
    "kind": "text",
    "prompt": "",
    "prompt_html": "",
    "value": None,
    "required": False,
    "optional": False,
    "clearable": False,
    "options": [],
    "grid": [],
    "low": None,
    "high": None,
    "low_label": "",
    "high_label": "",
    "unit": "",
    "rows": 1,
    "limit": LONGEST_TEXT,
    "number": None,
    "code": "",
    "starter": None,
    "beside": None,
}


def draw_form(
    page: Page[OnStage],
    fields: list[FormField],
    *,
    button: str,
    count: int = 0,
    acts: Sequence[FormAct] = (),
) -> None:
    """Mount the component: everything that is entered goes over our own routes."""
    place, stage = page.place, page.place.stage
    deadline = place.deadline_at
    quiz, talk = stage.kind == "quiz", stage.kind == "interview"
    data: FormData = {
        "page_key": page.participant_id,
        "stage": stage.id,
        "step": place.participant.step,
        "kind": "quiz" if quiz else "interview" if talk else "survey",
        "fields": fields,
        "count": count,
        "button": page.text(button),
        "acts": list(acts),
        "no_way_back": quiz,
        "deadline_ms": round(deadline.timestamp() * 1000) if deadline else None,
        "now_ms": round(place.now.timestamp() * 1000),
        "api": page.api,
        "code_module": addresses()["code.js"],
        "texts": page.texts.table("workspace") | page.texts.table("form"),
    }
    form(data, key=page.mount("form"))


def question_field(question: Question, drafts: Mapping[str, Any]) -> FormField:
    """Return a question of a survey, or what stands between questions, as the component draws it."""
    written = question.kind in ("text", "number")
    return {
        **_NOTHING,
        "id": question.id,
        "kind": question.kind,
        "prompt": question.prompt,
        "prompt_html": to_html(question.prompt),
        "value": drafts.get(question.id),
        "required": question.required and question.asks,
        "optional": question.asks and not question.required,
        "clearable": question.kind in ("choice", "scale") and not question.required,
        "options": _options(question),
        "grid": [{"id": row.id, "html": to_html(row.label)} for row in question.rows],
        "low": question.low,
        "high": question.high,
        "low_label": question.low_label,
        "high_label": question.high_label,
        "unit": question.unit if written or question.kind == "slider" else "",
        "rows": 4 if question.kind == "text" else 1,
        "limit": NUMBER_CHARS if question.kind == "number" else LONGEST_TEXT,
    }


def _options(question: Question) -> list[Any]:
    if question.kind == "scale":
        low, high = present(question.low, "the scale's low end"), present(question.high, "the scale's high end")
        return [{"value": step, "html": str(step)} for step in range(low, high + 1)]
    return [{"value": option.value, "html": to_html(option.label)} for option in question.options]


def item_field(item: Item, number: int, drafts: Mapping[str, Any]) -> FormField:
    """Return an item of a quiz as the component draws it; `number` is its place in the whole quiz."""
    kinds: dict[str, Any] = {"single_choice": "choice", "multiple_select": "multiple", "code": "code"}
    return {
        **_NOTHING,
        "id": item.id,
        "kind": kinds.get(item.kind, "text"),
        "prompt": item.prompt,
        "prompt_html": to_html(item.prompt),
        "value": drafts.get(item.id),
        "clearable": item.kind == "single_choice",
        "options": [{"value": option.id, "html": to_html(option.text)} for option in item.options],
        "rows": item.rows,
        "limit": MAX_RESPONSE_CHARS,
        "number": number,
        "code": item.code,
        "starter": item.starter or None,
    }


def confidence_rating(page: Page[OnStage], item: Item, number: int, drafts: Mapping[str, Any]) -> FormField:
    """Return the scale beside an item: how likely its answer is right, in percent."""
    name = confidence_field(item.id)
    prompt = page.text("form.confidence", n=number)
    return {
        **_NOTHING,
        "id": name,
        "kind": "scale",
        "prompt": prompt,
        "prompt_html": to_html(prompt),
        "value": drafts.get(name),
        "clearable": True,
        "beside": item.id,
        "options": [{"value": step, "html": str(step)} for step in STEPS],
        "low": STEPS[0],
        "high": STEPS[-1],
        "low_label": page.text("form.confidence_low"),
        "high_label": page.text("form.confidence_high"),
    }
