"""Consent: what the study is, who runs it, what is kept, who sees it.

Shows: body, the study's facts, data policy, assistant's provider, the choice. Records: consented or declined.
"""

from __future__ import annotations

from study_app.domain.study.consent import consent_facts
from study_app.domain.study.study import Study
from study_app.services.position import OnStage
from study_app.ui.page import Page


def draw(page: Page[OnStage]) -> None:
    """Draw the screen."""
    study, stage = page.place.study, page.place.stage
    page.head()
    page.write(page.filled(stage.body))
    page.write("\n".join(_facts(page, study)))
    page.write(_section(page, "kept", months=study.data.keep_months, shared=study.data.shared))
    if study.assistants:
        embedded = all(assistant.id != "claude" for assistant in page.app.context.assistants.values())
        page.write(_section(page, "provider", body="provider_embedded" if embedded else "provider"))
    page.write(_section(page, "voluntary", contact=study.contact or page.text("refusal.team")))
    page.actions(
        {"act": "agree", "label": page.text("consent.agree"), "first": True},
        {"act": "disagree", "label": page.text("consent.disagree"), "first": False},
        leave="none",
        pinned=True,
    )


def _section(page: Page[OnStage], name: str, body: str = "", **values: object) -> str:
    return f"## {page.text(f'consent.{name}_title')}\n\n{page.text(f'consent.{body or name}', **values)}"


def _facts(page: Page[OnStage], study: Study) -> list[str]:
    """Return what the study file says of the study itself, one line each; what it does not say is left out."""
    given = {key.removeprefix("consent."): text for key, text in consent_facts(study).items()}
    given["pay"] = " ".join(text for text in (given["pay"], study.consent.pay_when_leaving) if text)
    age = study.consent.minimum_age
    given["age"] = "" if age is None else page.text("consent.age_sentence", age=age)
    given["unsolvable"] = page.text("consent.unsolvable_sentence") if study.offers_exit else ""
    names = ("researchers", "ethics", "age", "pay", "risks", "unsolvable")
    return [f"- **{page.text(f'consent.{name}')}** {given[name]}" for name in names if given[name]]
