"""What a preregistration says of the study's contents: when sessions open, how answers are scored, what models read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.interviews.plan import ClosingQuestion, InterviewPlan
from study_app.domain.quiz.items import Item
from study_app.domain.quiz.keys import Criterion
from study_app.domain.sentences import ended
from study_app.domain.study.quiz_confidence import judgement_question
from study_app.domain.study.quiz_roles import Quiz
from study_app.domain.study.sections import StudySession
from study_app.domain.study.study import Study
from study_app.services.operation.models.asking import given


def timeline(study: Study) -> str:
    """Return the stages in order, each later session with the days after which it opens and for which it is open."""
    lines = []
    for number, stage in enumerate(study.stages, 1):
        if number > 1 and study.opens_session(stage):
            lines.append(f"\n{_opening(study.session_of(stage))}\n")
        limit = f" (at most {stage.minutes:g} minutes)" if stage.minutes else ""
        lines.append(f"{number}. {stage.title or stage.id}{limit}")
    return "\n".join(lines)


def _opening(session: StudySession) -> str:
    delay = f"{_counted(session.delay_days, 'day')} after" if session.delay_days else "right after"
    window = f"can be begun for {_counted(session.window_days, 'day')}" if session.window_days else "has no last day"
    reminders = ", ".join(f"{days:g}" for days in session.remind_days)
    reminded = f", with reminders {reminders} days after it opens" if reminders else ""
    return f"Session `{session.id}` opens {delay} the end of the session before and {window}{reminded}."


def session_facts(study: Study) -> list[dict[str, Any]]:
    """Return the sessions as prereg.json has them."""
    return [
        {"id": session.id, "delay_days": session.delay_days, "window_days": session.window_days}
        for session in study.sessions
    ]


def quiz_facts(study: Study, content: ContentLibrary) -> list[dict[str, Any]]:
    """Return the quizzes as prereg.json has them: it lies in every dataset, so that no key is in it."""
    return [
        {
            "stage": quiz.stage.id,
            "role": quiz.role,
            "bank": content.bank(quiz.stage.bank).id,
            "bank_version": content.bank(quiz.stage.bank).version,
            "form": content.bank(quiz.stage.bank).form(quiz.stage.form).id,
            "key_versions": {item.id: content.keys(quiz.stage.bank).versions[item.id] for item, _ in found},
            "rated": [item.id for item, criteria in found if criteria],
        }
        for quiz in study.quizzes
        for found in [list(_scored(quiz, content))]
    ]


def scoring(study: Study, content: ContentLibrary) -> str:
    """Return what each quiz's answers are worth, and the rubric of every item that people rate."""
    lines = []
    for quiz in study.quizzes:
        bank, items = content.bank(quiz.stage.bank), list(_scored(quiz, content))
        rated = sum(bool(criteria) for _, criteria in items)
        how = f"{rated} rated by people, who do not see the arm, the others" if rated else "all"
        name, form = quiz.stage.title or quiz.stage.id, bank.form(quiz.stage.form).id
        lines.append(
            f"- {name} ({quiz.role}): {bank.title}, version {bank.version}, form `{form}`; {len(items)} items, "
            f"{_points(bank.points)}; {how} scored by keys (version `{content.keys(quiz.stage.bank).version}`)."
        )
        for item, criteria in items:
            if criteria:
                lines.append(f"  - Rubric of `{item.id}`, {_points(item.points)}:")
                lines += [f"    - `{each.id}` ({_points(each.points)}): {_flat(each.text)}" for each in criteria]
    return "\n".join([*lines, *_asked_beside(study)])


def _asked_beside(study: Study) -> Iterator[str]:
    """Yield what quizzes ask beside their items, a line each."""
    for quiz in study.quizzes:
        name = quiz.stage.title or quiz.stage.id
        if quiz.stage.confidence:
            yield (
                f"- {name}: confidence in each answer, 0 to 100 percent; Brier score, calibration in the large and "
                "gamma of each person."
            )
        question = judgement_question(study.stages, quiz.stage) if quiz.stage.judgement else None
        if question is not None:
            yield f"- {name}: judgement before it by `{question.id}`, compared with the share of the points."


def _scored(quiz: Quiz, content: ContentLibrary) -> Iterator[tuple[Item, tuple[Criterion, ...]]]:
    keys = content.keys(quiz.stage.bank)
    for item in content.bank(quiz.stage.bank).items_of(quiz.stage.form):
        yield item, getattr(keys[item.id], "rubric", ())


def prompts(study: Study, content: ContentLibrary) -> str:
    """Return what the model of each arm's assistant is given to read, word for word."""
    return "\n\n".join(_assistant(name, spec) for name, spec in given(study, content.specs).items())


def _assistant(name: str, spec: AssistantSpec) -> str:
    asked = {"notes": "answers from the tasks' notes, without a model", "recorded": "repeats recorded replies"}
    provider = asked.get(spec.provider, f"model `{spec.model}`")
    parameters = ", ".join(f"{key} {value}" for key, value in spec.parameters.given().items())
    rules = [
        f"manner `{spec.manner}`",
        "may give code" if spec.gives_code else "gives no code",
        *(["code only after an explanation"] if spec.gate == "explain" else []),
        *([f"opens after {spec.opens_after_minutes:g} minutes"] if spec.opens_after_minutes else []),
    ]
    facts = f"{provider}; {', '.join(rules)}; {parameters}; prompt version `{spec.prompt_version}`."
    read = f"\n\nInstructions:\n\n{_fenced(spec.instructions)}" if spec.instructions.strip() else ""
    return f"### Assistant `{name}`, version {spec.version}\n\n{facts[0].upper()}{facts[1:]}{read}"


def interviews(study: Study, content: ContentLibrary) -> str:
    """Return the plan of each interview: who asks, the topics with what is to be learned, and the questions."""
    return "\n\n".join(_interview(content.plan(file), study.language) for file in content.plan_files)


def _interview(plan: InterviewPlan, language: str) -> str:
    asks = f"model `{plan.model}` chooses follow-ups" if plan.asks_model else "the plan's questions alone"
    spoken = language if language in plan.languages else plan.languages[0]
    lines = [
        f"### Interview `{plan.id}`, version {plan.version}",
        "",
        f"Mode `{plan.mode}`: {asks}; at most {plan.max_turns} questions and {plan.minutes:g} minutes; prompt version "
        f"`{plan.prompt_version}`.",
        "",
    ]
    for each in plan.asked:
        question = _flat(each.core[spoken])
        goal = ""
        if not isinstance(each, ClosingQuestion):
            goal = f" To learn: {ended(_flat(each.goal))} At most {_counted(each.probes, 'probe')}."
        lines.append(f"- `{each.id}`: {question}{goal}")
    return "\n".join(lines)


def _fenced(text: str) -> str:
    """Return a text as a block of Markdown that nothing in it ends."""
    fence = "`" * max(3, 1 + max((len(ticks) for ticks in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text.strip()}\n{fence}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _points(points: float) -> str:
    return _counted(points, "point")


def _counted(number: float, what: str) -> str:
    return f"{number:g} {what}" + ("" if number == 1 else "s")
