"""An interview of one participant as the log has it, and the form that its page shows."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.dataset.measures.interviews.history import KINDS, AskedQuestion, Held, interviews_of
from study_app.dataset.measures.interviews.rows import turn_field
from study_app.domain.events.server import InterviewAnswered, InterviewAsked
from study_app.domain.interviews.machine import Exchange, Standing
from study_app.domain.interviews.plan import InterviewPlan
from study_app.domain.interviews.rules import said_by
from study_app.domain.study.sections import Question
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.position import AtStage

RATING, MISSING = "summary_rating", "summary_missing"
"""Fields of the page with the summary."""
HIGHEST_RATING = 4
LONGEST_SPELL = 5.0
"""Minutes that one question counts at most towards the plan's minutes: a break is not part of the interview."""


@dataclass(frozen=True)
class Interview:
    """Where one participant's interview stands."""

    plan: InterviewPlan
    language: str
    held: Held | None
    """None before the first question."""
    standing: Standing

    @property
    def closed(self) -> bool:
        """Whether no further question comes."""
        return self.held is not None and self.held.closed is not None

    def question(self, step: int) -> AskedQuestion | None:
        """Return the question of a page of the stage; None for the page after the last."""
        questions = self.held.questions if self.held is not None else []
        return next((each for each in questions if each.asked.number == step + 1), None)

    def shows_summary(self) -> bool:
        """Return whether the page after the last question has a summary to rate."""
        return self.held is not None and self.held.closed is not None and bool(self.held.closed.summary)

    def form(self, step: int) -> tuple[Question, ...]:
        """Return what a page of the stage asks, as questions of a form."""
        question = self.question(step)
        if question is not None:
            return (Question(id=turn_field(step + 1), kind="text", prompt=question.asked.question),)
        if not self.shows_summary():
            return ()
        rating = Question(id=RATING, kind="scale", prompt=RATING, low=1, high=HIGHEST_RATING, required=False)
        return rating, Question(id=MISSING, kind="text", prompt=MISSING, required=False)


def interview_at(context: StudyContext, unit: UnitOfWork, place: AtStage) -> Interview:
    """Return the interview at the stage where a participant is."""
    plan: InterviewPlan = context.content_of(place.participant).plan(place.stage.plan)
    events = unit.events_of(place.participant.id, KINDS, place.stage.id)
    held = next(iter(interviews_of(events)), None)
    if held is not None:
        language = held.first.language
    else:
        language = place.study.language if place.study.language in plan.languages else plan.languages[0]
    exchanges = tuple(question.exchange() for question in held.questions) if held is not None else ()
    own = plan.texts.get(language)
    standing = Standing(
        plan,
        language,
        exchanges,
        _minutes(held),
        _forbidden(place.study, plan, exchanges),
        own.distress_words if own is not None else (),
    )
    return Interview(plan, language, held, standing)


def picture_of(context: StudyContext, place: AtStage) -> Interview:
    """Return the interview as its first page shows it, for a picture of the page; nothing of it is stored."""
    plan: InterviewPlan = context.content_of(place.participant).plan(place.stage.plan)
    language = place.study.language if place.study.language in plan.languages else plan.languages[0]
    first = plan.topics[0]
    asked = InterviewAsked(
        interview_id="picture",
        turn_id="picture",
        number=1,
        topic=first.id,
        action="core",
        question=first.core[language],
        by="plan",
        plan=plan.id,
        plan_version=plan.version,
        language=language,
    )
    held = Held("picture", place.stage.id, place.now, [AskedQuestion(asked, place.now)])
    exchanges = tuple(question.exchange() for question in held.questions)
    return Interview(plan, language, held, Standing(plan, language, exchanges))


def _minutes(held: Held | None) -> float:
    spells = [
        (question.answered_at - (question.reopened_at or question.asked_at)).total_seconds() / 60
        for question in (held.questions if held is not None else ())
        if question.answered_at is not None
    ]
    # Not below zero: two servers may have stamped question and answer, and clocks differ.
    return sum(min(max(spell, 0.0), LONGEST_SPELL) for spell in spells)


def _forbidden(study: Study, plan: InterviewPlan, exchanges: tuple[Exchange, ...]) -> tuple[str, ...]:
    """Return names of arms that no question may bring up; what the plan or the participant says may be taken up."""
    if len(study.arms) < 2:
        return ()
    names = tuple(dict.fromkeys(name for arm in study.arms for name in (arm.id.replace("_", " "), arm.label) if name))
    said = [each.answer for each in exchanges] + [text for each in plan.asked for text in each.core.values()]
    return tuple(name for name in names if name not in said_by(names, said))


def answered_fields(unit: UnitOfWork, participant_id: str) -> set[tuple[str, str]]:
    """Return (stage, field) of every question of an interview that has an answer: its words stay in the log."""
    events = unit.events_of(participant_id, {InterviewAsked.kind, InterviewAnswered.kind})
    return {
        (held.stage, turn_field(question.asked.number))
        for held in interviews_of(events)
        for question in held.questions
        if question.answer.strip()
    }
