"""What a consent page has to say of a study besides its own text, and whether the study file says it."""

from __future__ import annotations

from study_app.domain.errors import Problem
from study_app.domain.study.study import Study

PLACEHOLDER = "[placeholder]"
"""Marks a value of the shipped study that stands there to be replaced."""
_ASKED = {
    "contact": "whom participants write to",
    "researchers": "who carries the study out, and where",
    "ethics": "the ethics approval and its number",
    "consent.pay": "what participants receive, or that they are not paid",
    "consent.risks": "risks and discomforts, or that there are none beyond everyday ones",
}
"""Key of the study file -> what it tells participants."""


def consent_facts(study: Study) -> dict[str, str]:
    """Return what participants have to know before they agree, by key of the study file, in the order of the page."""
    facts = study.consent
    given = {"researchers": study.researchers, "ethics": study.ethics, "consent.pay": facts.pay}
    given["consent.risks"] = facts.risks
    return {key: text.strip() for key, text in given.items()}


def consent_problems(study: Study, file: str) -> list[Problem]:
    """Return what real participants would miss on the consent page; one problem for each key without a value."""
    return [
        Problem(file, key, "is empty, so the consent page would not tell participants", f"say {_ASKED[key]}")
        for key, text in consent_facts(study).items()
        if not text
    ]


def consent_warnings(study: Study) -> list[str]:
    """Return what `check` and `launch` say of keys that still have the values of the shipped example."""
    return [
        f"{key}: the value is still marked {PLACEHOLDER} and participants would read it; say {_ASKED[key]}"
        for key, text in {"contact": study.contact, **consent_facts(study)}.items()
        if PLACEHOLDER in text
    ]
