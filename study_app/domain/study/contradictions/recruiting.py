"""Places, quotas, codes and pay that contradict each other, or pay for what the study does not have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from study_app.domain.study.contradictions.kinds import Finding
from study_app.domain.study.recruiting.quotas import answers_of, asked_before
from study_app.domain.study.study import Study


def recruiting_problems(study: Study) -> Iterator[Finding]:
    """Yield what is wrong with the [recruitment] table."""
    found = [*_quotas(study), *_bonus(study), *_codes(study)]
    yield from ((f"recruitment.{key}", what, remedy) for key, what, remedy in found)


def _quotas(study: Study) -> Iterator[Finding]:
    target = study.recruitment.target_n
    limits: dict[str, dict[object, int]] = defaultdict(dict)
    for number, quota in enumerate(study.recruitment.quotas, start=1):
        limits[quota.question][quota.answer] = quota.limit(target)
        if quota.limit(target) >= target:
            key = "share" if quota.share is not None else "most"
            what = f"{quota.limit(target)} of {target} people is everyone, so the quota turns no one away"
            yield f"quotas.{number}.{key}", what, "give a smaller one, or remove the quota"
    asked = {question.id: question for _, question in asked_before(study)}
    for name, known in limits.items():
        question = asked.get(name)
        if question is None or question.kind == "multiple" or not question.required:
            continue
        open_to = [answer for answer in answers_of(question) if question.lets_in(answer)]
        places = sum(known.values())
        if set(open_to) <= set(known) and places < target:
            what = f"the quotas of '{name}' leave {places} places in all, and target_n is {target}"
            yield "quotas", what, "widen them, or lower target_n"


def _bonus(study: Study) -> Iterator[Finding]:
    for number, rule in enumerate(study.recruitment.bonus, start=1):
        key = f"bonus.{number}"
        if rule.most is not None and rule.most < rule.amount:
            what = f"{rule.most:g} is less than what one pays ({rule.amount:g})"
            yield f"{key}.most", what, "raise it, or lower amount"
        if rule.per == "quiz_points" and study.main_quiz is None:
            yield f"{key}.per", "the study has no main quiz, so no one is paid for it", "remove it"
        if rule.per == "tasks_passed" and not study.main_task_stages:
            yield f"{key}.per", "the study has no main tasks, so no one is paid for them", "remove it"
        if rule.per == "tasks_passed" and study.varied_tasks:
            what = "some arms meet a task that cannot be done, so they would be paid less"
            yield f"{key}.per", what, "pay by something that every arm has alike"


def _codes(study: Study) -> Iterator[Finding]:
    codes = study.recruitment.codes.model_dump()
    alike = [name for name, code in codes.items() if code == codes["completed"] and name != "completed"]
    if alike and codes["completed"]:
        what = f"{' and '.join(alike)} have the code of people who completed, so the panel would pay them as such"
        yield "codes.completed", what, "give each outcome a different code"
