"""What comes next in an interview: a state machine, in which a model (or a rule) chooses only where there is a choice.

Everything follows from the plan, the exchanges so far and the minutes spent, so that an interview goes on after any
interruption exactly where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from study_app.domain.events.words import InterviewAction, InterviewEnd, QuestionSource
from study_app.domain.interviews.distress import shows_distress
from study_app.domain.interviews.plan import InterviewPlan, Topic
from study_app.domain.interviews.quality import SUBSTANTIVE_WORDS
from study_app.domain.interviews.rules import broken_by_wording
from study_app.domain.interviews.wording import word_count, words_of

DISTRESS_SEEN = "interview ended: words of distress"
"""How the audit log names it, for the console and the alert."""
DISTRESS_POSSIBLE = "interview answer: words that may be of distress"
"""How the audit log names an answer that ends nothing, and that a researcher should read."""
MOST_REDIRECTS = 3
"""After so many the interview ends, in a friendly way, once the last answer is there."""
CLARIFIES = 1
"""Most rewordings of a topic's question."""

StepAction = Literal["probe", "next", "clarify", "redirect", "end"]
STEP_ACTIONS: tuple[StepAction, ...] = get_args(StepAction)
OWN_WORDING: frozenset[str] = frozenset({"probe", "clarify", "redirect"})
"""Steps whose question the model words."""


@dataclass(frozen=True)
class Exchange:
    """One question, and what became of it."""

    topic: str
    action: InterviewAction
    question: str
    outcome: str = ""
    """See `AnswerOutcome`; empty while it waits."""
    answer: str = ""


@dataclass(frozen=True)
class Standing:
    """Where an interview stands."""

    plan: InterviewPlan
    language: str
    exchanges: tuple[Exchange, ...] = ()
    minutes: float = 0.0
    """Since the first question."""
    forbidden: tuple[str, ...] = ()
    """Words that would tell arms apart, such as labels; what the participant said themselves is not among them."""
    distress_words: tuple[str, ...] = ()
    """Of the plan, beside the shipped ones."""

    def core(self, topic_id: str) -> str:
        """Return a topic's or closing question's own wording."""
        return self.plan.topic(topic_id).core[self.language]

    def asked_on(self, topic_id: str) -> tuple[Exchange, ...]:
        """Return the exchanges on a topic."""
        return tuple(each for each in self.exchanges if each.topic == topic_id)

    def count(self, action: str, topic_id: str | None = None) -> int:
        """Return how many questions do so, on one topic or in the whole interview."""
        return sum(each.action == action and topic_id in (None, each.topic) for each in self.exchanges)

    @property
    def closing(self) -> bool:
        """Whether a closing question was asked: no topic is opened after it."""
        closing = {each.id for each in self.plan.closing}
        return any(each.topic in closing for each in self.exchanges)

    @property
    def left(self) -> tuple[Topic, ...]:
        """Topics that can still be opened, in the plan's order."""
        if self.closing:
            return ()
        opened = {each.topic for each in self.exchanges}
        return tuple(topic for topic in self.plan.topics if topic.id not in opened)


@dataclass(frozen=True)
class Ask:
    """The next question."""

    topic: str
    action: InterviewAction
    question: str
    by: QuestionSource = "plan"


@dataclass(frozen=True)
class Close:
    """No further question."""

    ended_by: InterviewEnd


@dataclass(frozen=True)
class Wait:
    """The last question waits for its answer."""


@dataclass(frozen=True)
class Choice:
    """A point at which a model, or a rule in its place, chooses."""

    topic: str
    """On which the last answer is."""
    allowed: frozenset[StepAction]
    topics: tuple[str, ...]
    """Those that `next` may open, the plan's next one first; empty where only closing questions are left."""
    fallback: Ask | Close
    """What comes where the choice is not valid."""


Due = Wait | Ask | Close | Choice


def due(standing: Standing) -> Due:
    """Return what comes next."""
    exchanges = standing.exchanges
    if not exchanges:
        return _opening(standing, standing.plan.topics[0].id)
    last = exchanges[-1]
    if not last.outcome:
        return Wait()
    ended = _ended(standing, last)
    if ended is not None:
        return Close(ended)
    following = _following(standing)
    if standing.closing or last.outcome == "skipped" or standing.plan.mode == "fixed":
        return following
    allowed = _allowed(standing, last.topic)
    # Without a choice no model is asked: its reply would take time and money and could only agree.
    if allowed == {"next"} and len(standing.left) < 2:
        return following
    return Choice(last.topic, allowed, tuple(topic.id for topic in standing.left), following)


def _ended(standing: Standing, last: Exchange) -> InterviewEnd | None:
    # Before every other end: an answer that was stopped, or cut by the deadline, may hold such words, too.
    if shows_distress(last.answer, standing.distress_words):
        return "distress"
    if last.outcome == "stopped":
        return "stopped"
    if last.outcome == "deadline":
        return "deadline"
    if standing.count("redirect") >= MOST_REDIRECTS:
        return "redirects"
    if len(standing.exchanges) >= standing.plan.max_turns:
        return "turns"
    return "time" if standing.minutes >= standing.plan.minutes else None


def _following(standing: Standing) -> Ask | Close:
    """Return the plan's own next step."""
    if standing.left:
        return _opening(standing, standing.left[0].id)
    asked = {each.topic for each in standing.exchanges}
    closing = next((each for each in standing.plan.closing if each.id not in asked), None)
    if closing is None:
        return Close("completed")
    return Ask(closing.id, "closing", closing.core[standing.language])


def _opening(standing: Standing, topic_id: str) -> Ask:
    return Ask(topic_id, "core", standing.core(topic_id))


def _allowed(standing: Standing, topic_id: str) -> frozenset[StepAction]:
    """Return what a model may choose on a topic; room is kept for what the plan still has to ask."""
    topic = standing.plan.topic(topic_id)
    room = standing.plan.max_turns - len(standing.exchanges) - len(standing.left) - len(_closing_left(standing))
    found: set[StepAction] = {"next"}
    if room > 0:
        if isinstance(topic, Topic) and standing.count("probe", topic_id) < topic.probes:
            found.add("probe")
        if standing.count("clarify", topic_id) < CLARIFIES:
            found.add("clarify")
        # The last one that there may be has ended the interview already.
        found.add("redirect")
    if not any(each.must for each in standing.left):
        found.add("end")
    return frozenset(found)


def _closing_left(standing: Standing) -> list[str]:
    asked = {each.topic for each in standing.exchanges}
    return [each.id for each in standing.plan.closing if each.id not in asked]


# -- a model's step ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModelStep:
    """What a model wants to do next; nothing of it is trusted."""

    action: str
    topic: str = ""
    question: str = ""
    reason: str = ""


@dataclass(frozen=True)
class JudgedStep:
    """What a step comes to."""

    move: Ask | Close | None
    """None where it breaks a rule."""
    broken: tuple[str, ...] = field(default=())
    """Names of the rules."""


def judge(standing: Standing, choice: Choice, step: ModelStep) -> JudgedStep:
    """Return what a model's step comes to; whatever it says, the plan's questions are asked in the plan's words."""
    if step.action not in STEP_ACTIONS:
        return JudgedStep(None, ("action",))
    if step.action not in choice.allowed:
        return JudgedStep(None, (_refusal(step.action),))
    if step.action == "end":
        return JudgedStep(_after_end(standing))
    if step.action == "next":
        return _next(standing, choice, step)
    if step.topic not in ("", choice.topic):
        return JudgedStep(None, ("topic",))
    earlier = [each.question for each in standing.exchanges]
    if step.action == "clarify":
        # The same question may come back in other words only.
        earlier.append(standing.core(choice.topic))
    broken = broken_by_wording(step.question, standing.language, earlier=earlier, forbidden=standing.forbidden)
    if broken:
        return JudgedStep(None, broken)
    action: InterviewAction = step.action
    return JudgedStep(Ask(choice.topic, action, step.question.strip(), "model"))


def _refusal(action: str) -> str:
    return {"probe": "budget", "clarify": "budget", "redirect": "budget", "end": "must"}.get(action, "action")


def _after_end(standing: Standing) -> Ask | Close:
    """Return what follows a model's end: closing questions are always asked."""
    return _following(replace(standing, plan=standing.plan.model_copy(update={"topics": _opened(standing)})))


def _opened(standing: Standing) -> tuple[Topic, ...]:
    left = {topic.id for topic in standing.left}
    return tuple(topic for topic in standing.plan.topics if topic.id not in left)


def _next(standing: Standing, choice: Choice, step: ModelStep) -> JudgedStep:
    if not choice.topics:
        return JudgedStep(choice.fallback)
    free = standing.plan.mode == "open"
    wanted = step.topic or choice.topics[0]
    if wanted not in (choice.topics if free else choice.topics[:1]):
        return JudgedStep(None, ("order",))
    core = standing.core(wanted)
    if step.question.strip() and " ".join(words_of(step.question)) != " ".join(words_of(core)):
        return JudgedStep(None, ("core_wording",))
    return JudgedStep(Ask(wanted, "core", core, "model"))


def fallback_of(choice: Choice) -> Ask | Close:
    """Return what comes after a step that broke a rule twice: the plan's next question, marked so."""
    move = choice.fallback
    return Ask(move.topic, "fallback", move.question, "fallback") if isinstance(move, Ask) else move


def by_rule(standing: Standing, choice: Choice, probe: str) -> Ask | Close:
    """Return the step without a model: a short answer is asked for one concrete moment, once on each topic."""
    last = standing.exchanges[-1]
    short = word_count(last.answer) < SUBSTANTIVE_WORDS
    fresh = all(each.question != probe for each in standing.asked_on(choice.topic))
    if "probe" in choice.allowed and short and fresh:
        return Ask(choice.topic, "probe", probe, "rule")
    return choice.fallback


def progress_of(standing: Standing) -> tuple[int, int]:
    """Return the number of the topic that the last question is on, and how many there are; closing questions count."""
    opened = list(dict.fromkeys(each.topic for each in standing.exchanges))
    return max(len(opened), 1), len(standing.plan.known)


def rule_summary(standing: Standing, longest: int = 200) -> list[tuple[str, str]]:
    """Return what was said, by core question: the beginning of the participant's own words, nothing added."""
    found = []
    for topic_id in dict.fromkeys(each.topic for each in standing.exchanges):
        answers = [each.answer.strip() for each in standing.asked_on(topic_id) if each.answer.strip()]
        if answers:
            said = " ".join(" ".join(answers).split())
            found.append((standing.core(topic_id), said if len(said) <= longest else f"{_cut(said, longest)} …"))
    return found


def _cut(text: str, longest: int) -> str:
    head = text[:longest]
    return head.rsplit(" ", 1)[0] if " " in head else head


def as_data(standing: Standing) -> dict[str, Any]:
    """Return the interview so far as a model reads it: data, never instructions."""
    return {
        "language": standing.language,
        "topics": [{"id": topic.id, "goal": topic.goal, "must": topic.must} for topic in standing.plan.topics],
        "exchanges": [
            {"topic": each.topic, "action": each.action, "question": each.question, "answer": each.answer}
            for each in standing.exchanges
        ],
    }
