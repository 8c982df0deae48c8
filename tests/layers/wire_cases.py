"""Cases of wired keys: a key, two values of it, and what is looked at; its test asserts that it differs.

What is looked at is what people meet: a participant's page, a verdict or points, a row of the dataset, an estimate or
a sentence of the report. Hashes, schemas, registrations and documentation are not among it, but for captions, which
only the codebook shows.
"""

from __future__ import annotations

import asyncio
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import tomli_w
from support.analysis.synthetic_trial import write

from analysis.cli import analyze
from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.assistant.notes import NotesAssistant
from study_app.assistant.prompts import conversation
from study_app.content.item_banks import check_bank
from study_app.content.task_packs import load_pack
from study_app.content.texts import TextShelf
from study_app.dataset.measures.activity import visit_use
from study_app.dataset.measures.baseline import survey_values
from study_app.dataset.schema.participants import participants_table
from study_app.domain.allocation import Allocator, Scheme, draws
from study_app.domain.allocation.arms import Arm
from study_app.domain.assistants.budget import Usage, allowance, turn_usage
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, TextDelta
from study_app.domain.errors import ProblemsFound
from study_app.domain.events import Event
from study_app.domain.events.moments import Timeline, moments
from study_app.domain.interaction.features import PATTERN_FEATURES
from study_app.domain.interaction.patterns import decide, rules_of
from study_app.domain.quiz.answering import Unanswerable, answer_to
from study_app.domain.quiz.items import Bank, Item, form_problems, item_problems
from study_app.domain.quiz.judged_by_people import criteria, source_of
from study_app.domain.quiz.keys import KEY_TYPES, CodeKey
from study_app.domain.quiz.scoring import quiz_total, score
from study_app.domain.records import Answer, Participant, Visit
from study_app.domain.study.analysis_plan import Compliance, Plan
from study_app.domain.study.compliance import Evidence, broken
from study_app.domain.study.durations import progress
from study_app.domain.study.study import Question, Study
from study_app.domain.tasks.packs import PackSettings, TaskPack
from study_app.services.participant.chatting.opening import opens_at
from study_app.services.participant.handing_in import pages_of
from study_app.services.participant_status import current_status
from study_app.services.position import BeforeStage, Ended, OnStage, Position, Waiting
from study_app.services.researcher.monitoring import treatment_leaks
from study_app.simulation.behaviour.assistant_use import PlannedQuery, words
from study_app.ui.page import Page
from study_app.ui.screens import consent, debrief, form, instructions, intro, survey, waiting, workspace

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 5, tzinfo=UTC)
PERSON = Participant("p", "real", "0" * 64, "in_progress", "consent", 0, NOW, NOW)


@dataclass(frozen=True)
class Case:
    """One key and what a change of it changes."""

    field: str
    look: Callable[[Any], Any]
    base: Any
    other: Any
    slow: bool = False


def cases(
    model: str, look: Callable[[Any], Any], base: dict[str, Any], *, slow: bool = False, **others: Any
) -> list[Case]:
    """A case for each key: the base, and the base with another value of that key (a pair changes the base, too)."""
    found = []
    for key, value in others.items():
        context, other = value if isinstance(value, With) else ({}, value)
        start = base | context
        found.append(Case(f"{model}.{key}", look, start, start | {key: other}, slow))
    return found


class With(tuple):
    """Further values that the base needs for the key to matter, and the other value of the key."""

    def __new__(cls, context: dict[str, Any], other: Any) -> With:
        return super().__new__(cls, (context, other))


# -- allocation: the arms of forty newcomers ---------------------------------------------------------------------------

ARMS = (Arm(id="ai"), Arm(id="no_ai"))


THREE = (*ARMS, Arm(id="third"))


def arms_drawn(scheme: dict[str, Any], arms: tuple[Arm, ...] = ARMS) -> list[str]:
    """Arms of forty newcomers."""
    allocator = Allocator(Scheme.model_validate(scheme), arms)
    people = [{"years": str(n % 3), "site": "abc"[n // 2 % 3], "label": f"class {n // 4}"} for n in range(40)]
    return [allocator.allocate(person, draws(b"seed", n)).arm for n, person in enumerate(people, start=1)]


MINIMISED = {"method": "minimisation", "factors": ["years", "site"]}
COIN = {"method": "biased_coin"}
ALLOCATION = [
    *cases("Scheme", arms_drawn, {}, method="simple", block_sizes=[2]),
    *cases("Scheme", arms_drawn, {"method": "stratified_blocks", "strata": ["years"]}, strata=["site"]),
    *cases(
        "Scheme",
        lambda scheme: arms_drawn(scheme, THREE),
        MINIMISED,
        factors=["site"],
        metric="variance",
        probability=0.99,
    ),
    *cases("Scheme", arms_drawn, COIN, ties=With({"probability": 1.0}, "first")),
    *cases("Scheme", arms_drawn, {"method": "urn"}, alpha=9.0, beta=9.0),
    *cases("Scheme", arms_drawn, {"method": "big_stick"}, bound=1),
    *cases("Scheme", arms_drawn, {"method": "cluster", "cluster": "label"}, cluster="site", base_method="simple"),
    *cases("Scheme", arms_drawn, {"method": "sequence"}, orders=[["ai", "no_ai"], ["no_ai", "ai"], ["ai", "ai"]]),
    *cases(
        "Factor",
        lambda factor: arms_drawn(MINIMISED | {"factors": [factor, "site"]}, THREE),
        {"variable": "years"},
        variable="label",
        weight=9.0,
        cuts=[1],
    ),
    *cases("StudyArm", lambda arm: arms_drawn({}, (Arm(**arm), Arm(id="no_ai"))), {"id": "ai"}, id="other", weight=3),
]

# -- quizzes: points, verdicts of check, what the page shows -----------------------------------------------------------

ITEM: dict[str, Any] = {
    "id": "one",
    "type": "conceptual",
    "kind": "short_text",
    "concept": "loops",
    "points": 2,
    "prompt": "What?",
}
OPTIONS = [{"id": "a", "text": "Yes"}, {"id": "b", "text": "No"}, {"id": "c", "text": "Perhaps"}]
CHOICE = ITEM | {"kind": "multiple_select", "options": OPTIONS}
CODE = ITEM | {"kind": "code", "type": "code_writing"}
HEAD: dict[str, Any] = {
    "id": "bank",
    "title": "A bank",
    "version": "1",
    "points": 2,
    "concepts": {"loops": "Loops"},
    "tasks": ["warmup"],
    "forms": [{"id": "first", "pages": [["one"]]}],
}


def points(item: dict[str, Any], key: dict[str, Any], response: Any, output: str = "yes\n") -> Any:
    """Points of a response."""
    made = Item.model_validate(item)
    found = score(
        made, KEY_TYPES[made.kind].model_validate(key), response, lambda program: output if program == "1" else ""
    )
    return found.points, found.max_points, found.correct


def accepted(accept: dict[str, Any]) -> Any:
    """Points of short answers by one accepted answer."""
    answers = ["five", "FIVE", "5", "5.4", "5 km", "a b", "b a", "fiver"]
    return [points(ITEM, {"accept": [accept]}, answer) for answer in answers]


def tried(check: dict[str, Any]) -> Any:
    """Points of an answer that prints two lines."""
    key = CodeKey.model_validate({"checks": [check], "solution": "1"})
    found = score(Item.model_validate(CODE), key, "1", lambda program: "b\na\n" if program == "1" else "")
    failing = score(Item.model_validate(CODE), key, "2", lambda program: "").detail
    return found.points, found.correct, failing


def rubric_of(item: dict[str, Any], key: dict[str, Any]) -> Any:
    """What graders are asked."""
    made = Item.model_validate(item)
    return criteria(made, KEY_TYPES[made.kind].model_validate(key))


def item_page(item: dict[str, Any]) -> Any:
    """An item as the page has it."""
    return form.item_field(Item.model_validate(item), 1, {})


def item_verdict(item: dict[str, Any]) -> Any:
    """What check says of an item in its bank."""
    return bank_verdict(HEAD, item)


def bank_verdict(head: dict[str, Any], item: dict[str, Any] = ITEM) -> Any:
    """What check says of a bank of one item."""
    bank, made = Bank.model_validate(head | {"items": [item]}), Item.model_validate(item)
    problems = [*item_problems(made, bank, "item", "bank"), *form_problems(bank, {made.id: made}, "bank")]
    return [str(problem) for problem in problems]


def bank_source(head: dict[str, Any]) -> str:
    """Where a question comes from, as graders see it."""
    item = Item.model_validate(ITEM)
    return source_of(Bank.model_validate(head | {"items": [ITEM]}), item, "")


def form_shown(form: dict[str, Any]) -> Any:
    """The items of a quiz whose stage asks for the form `first`; None where the bank has no such form."""
    bank = Bank.model_validate(HEAD | {"forms": [form], "items": [ITEM]})
    try:
        return [item.id for item in bank.items_of("first")]
    except KeyError:
        return None


def totals(item: dict[str, Any]) -> Any:
    """The quiz's columns in the participants table."""
    return quiz_total([Item.model_validate(item)], {"one": 1.0}).columns()


CHECK = {"name": "c", "program": "{answer}", "expected": "b\na", "points": 2}
RUBRIC = [{"id": "a", "text": "A", "points": 1}, {"id": "b", "text": "B", "points": 1}]
QUIZ = [
    *cases("Item", item_page, ITEM, id="two", prompt="Why?", code="print(1)", rows=5),
    *cases("Item", item_page, CODE, starter="x = 1"),
    *cases("Item", item_page, CHOICE, options=OPTIONS[:2], kind="single_choice"),
    *cases("Item", totals, ITEM, points=3, type="debugging"),
    *cases("Item", item_verdict, ITEM, concept="recursion", task="another"),
    *cases(
        "ChoiceOption",
        lambda option: item_page(CHOICE | {"options": [option, *OPTIONS[1:]]}),
        OPTIONS[0],
        id="z",
        text="Nay",
    ),
    *cases(
        "ChoiceKey",
        lambda key: points(CHOICE, key, ["a", "c"]),
        {"correct": ["a", "b"]},
        correct=["a", "c"],
        wrong_pick_penalty=0.0,
    ),
    *cases("TextKey", lambda key: points(ITEM, key, "five"), {"accept": [{"text": "five"}]}, accept=[{"text": "six"}]),
    *cases("TextKey", lambda key: rubric_of(ITEM, key), {"rubric": RUBRIC[:1]}, rubric=RUBRIC),
    *cases("CodeKey", lambda key: rubric_of(CODE, key), {"rubric": RUBRIC[:1]}, rubric=RUBRIC),
    *cases(
        "CodeKey",
        lambda key: points(CODE, key, "1"),
        {},
        checks=[{"name": "c", "program": "{answer}", "expected": "yes", "points": 2}],
    ),
    *cases("Accept", accepted, {}, text="five", number=5.0, sequence=["a", "b"], regex="fi.*"),
    *cases("Accept", accepted, {"number": 5.0}, tolerance=0.5, units=["km"], points=1.0),
    *cases("Accept", accepted, {"sequence": ["a", "b"]}, unordered=True),
    *cases("Accept", accepted, {"text": "five"}, case_sensitive=True),
    *cases("OutputCheck", tried, CHECK, name="d", program="{answer}x", expected="a\nb", points=1),
    *cases("OutputCheck", tried, CHECK | {"expected": "a\nb"}, unordered=True),
    *cases(
        "Criterion",
        lambda criterion: rubric_of(ITEM, {"rubric": [criterion]}),
        {"id": "a", "text": "A", "points": 2},
        id="b",
        text="B",
        points=1,
    ),
    *cases(
        "Bank",
        bank_source,
        HEAD,
        title="Another",
        version="2",
        concepts={"loops": "Iteration"},
        forms=[{"id": "first", "title": "Form A", "pages": [["one"]]}],
    ),
    *cases("Bank", bank_verdict, HEAD, points=3),
    *cases("Bank", lambda head: bank_verdict(head, ITEM | {"task": "warmup"}), HEAD, tasks=[]),
    *cases("Form", lambda part: bank_source(HEAD | {"forms": [part]}), {"id": "first", "pages": [["one"]]}, title="A"),
    *cases("Form", form_shown, {"id": "first", "pages": [["one"]]}, id="another"),
    *cases(
        "Form",
        lambda part: bank_verdict(HEAD | {"forms": [part]}),
        {"id": "first", "pages": [["one"]]},
        pages=[["gone"]],
    ),
]

# -- questions: the page, what is taken as an answer -------------------------------------------------------------------

CHOICES = [{"value": 1, "label": "One"}, {"value": 2, "label": "Two"}]
ASKED = {"id": "q", "kind": "choice", "prompt": "?", "options": CHOICES}
SCALE = {"id": "q", "kind": "scale", "prompt": "?", "low": 1, "high": 5}
NUMBER = {"id": "q", "kind": "number", "prompt": "?", "low": 0, "high": 9}


def question_page(question: dict[str, Any]) -> Any:
    """A question as the page has it."""
    return form.question_field(Question.model_validate(question), {})


def taken(question: dict[str, Any]) -> Any:
    """What the server takes of answers."""
    made, found = Question.model_validate(question), []
    for shown in ("2.5", "3", "12", "-1", 1, 2):
        try:
            found.append(answer_to(made, shown))
        except Unanswerable as refused:
            found.append(str(refused))
    return found, [made.lets_in(value) for value in (1, 2)]


QUESTIONS = [
    *cases(
        "Question",
        question_page,
        ASKED,
        id="p",
        prompt="Which?",
        options=CHOICES[::-1],
        required=False,
        kind="multiple",
    ),
    *cases("Question", question_page, SCALE, low=0, high=7, low_label="not", high_label="very"),
    *cases("Question", question_page, NUMBER, unit="years"),
    *cases("Question", taken, NUMBER, whole=True),
    *cases("Question", taken, ASKED, eligible=[2]),
    *cases(
        "AnswerOption",
        lambda option: question_page(ASKED | {"options": [option, CHOICES[1]]}),
        CHOICES[0],
        value=7,
        label="Uno",
    ),
]


def summed(stage: dict[str, Any]) -> Any:
    """The derived score of a participant who answers 1 to both questions of a survey."""
    survey = STUDY["stages"][1] | stage
    study = Study.model_validate(STUDY | {"stages": [STUDY["stages"][0], survey, *STUDY["stages"][2:]]})
    answers = [Answer("p", "about", question, 1) for question in ("q", "r")]
    return survey_values(study, answers)["sum"]


def keyed(question: dict[str, Any]) -> dict[str, Any]:
    """A survey of two keyed questions, one of them given."""
    return {"questions": [question, ASKED | {"id": "r", "correct": 1}]}


BOTH = keyed(ASKED | {"correct": 1})
SCORES = [
    *cases("DerivedScore", lambda score: summed(BOTH | {"scores": [score]}), {"id": "sum", "of": ["q", "r"]}, of=["q"]),
    *cases(
        "Question",
        lambda question: summed(keyed(question) | {"scores": [{"id": "sum", "of": ["q", "r"]}]}),
        ASKED | {"correct": 1},
        correct=2,
    ),
]

# -- pages of the study ------------------------------------------------------------------------------------------------

STUDY: dict[str, Any] = {
    "schema": "study/1",
    "id": "wired",
    "title": "Wired",
    "allocation": {"method": "simple"},
    "arms": [{"id": "plain", "control": True, "instructions": "Go."}, {"id": "other", "instructions": "Go."}],
    "stages": [
        {"id": "consent", "kind": "consent", "title": "Consent", "body": "Please read."},
        {"id": "about", "kind": "survey", "questions": [ASKED]},
        {"id": "instructions", "kind": "instructions"},
        {"id": "work", "kind": "tasks", "minutes": 10, "packs": ["tasks/one"], "intro": "Soon.", "title": "Work"},
        {"id": "debrief", "kind": "debrief", "title": "The end"},
    ],
}


TONES: list[dict[str, Any]] = [
    {"id": "tone", "levels": {"calm": {"instructions": "Go."}, "keen": {"instructions": "Go, go."}}},
    {"id": "promise", "levels": {"none": {}, "made": {"pledge": "I try."}}},
]
CROSSED: dict[str, Any] = {key: value for key, value in STUDY.items() if key != "arms"} | {
    "factors": TONES,
    "arms_from": {"factors": ["tone", "promise"]},
}


PROMISED = {"pledge": "I promise."}
LOUD = {"id": "tone", "levels": {"loud": {"instructions": "Run."}, "keen": {"instructions": "Go, go."}}}


def factor_column(factor: dict[str, Any]) -> Any:
    """The column of a factor, as the codebook describes it."""
    made = CROSSED | {"factors": [factor, TONES[1]], "arms_from": {"factors": [factor["id"], "promise"]}}
    return participants_table([Study.model_validate(made)], {}).columns[-2]


def crossed_arms(level: dict[str, Any]) -> Any:
    """The arms that a factor with such a level makes."""
    factor = {"id": "tone", "levels": [level, {"id": "keen"}]}
    study = Study.model_validate(CROSSED | {"factors": [factor, TONES[1]]})
    return [arm.model_dump() for arm in study.arms]


class Recorder(Page):
    """A page that keeps what it shows."""

    def __init__(self, place: Position) -> None:
        content = SimpleNamespace(bank=lambda folder: None, said=lambda language: {})
        app = SimpleNamespace(
            texts_of=lambda participant: TextShelf({}),
            context=SimpleNamespace(content=content, content_of=lambda participant: content, assistants={}),
            answers=SimpleNamespace(drafts=lambda place: {}),
            session=SimpleNamespace(expired_before=lambda place: None, message=lambda person: ""),
        )
        super().__init__(app, place)  # type: ignore[arg-type]
        self.shown: list[Any] = []

    def write(self, text: str) -> None:
        self.shown.append(text)

    def head(self, title: str | None = None) -> None:
        stage = self.place.stage
        self.shown += [title or (stage.title if stage else ""), self.progress(), self._next_clock()]

    def actions(self, *buttons: Any, **more: Any) -> None:
        self.shown += [buttons, more, self._payment()]


SCREENS = {"consent": consent, "survey": survey, "instructions": instructions, "tasks": intro, "debrief": debrief}


def pages(raw: dict[str, Any], status: str = "completed", place: str | None = None) -> list[Any]:
    """What every page of a study shows, in the order of its stages."""
    study = Study.model_validate(raw)
    found: list[Any] = []
    for stage in study.stages:
        person = replace(PERSON, stage=stage.id, status=status, place=place)  # type: ignore[arg-type]
        ended = stage.kind == "debrief"
        arm = study.arms[0]
        cls = BeforeStage if stage.kind == "tasks" else OnStage
        at = Ended(person, study, arm, NOW) if ended else cls(person, study, stage, arm, NOW)
        recorder = Recorder(at)
        with (
            patch.object(survey, "draw_form", lambda page, fields, **more: page.shown.extend([fields, more])),
            patch("streamlit.html"),
        ):
            SCREENS[stage.kind].draw(recorder)
        found.append(recorder.shown)
    return found


def of_stage(number: int) -> Callable[[dict[str, Any]], Any]:
    """Looks at the pages of a study whose stage of that number is given."""
    stages = STUDY["stages"]
    return lambda stage: pages(STUDY | {"stages": [*stages[:number], stage, *stages[number + 1 :]]})


def ends(codes: dict[str, str]) -> Any:
    """The last page of every way out."""
    study = STUDY | {"recruitment": {"codes": codes}}
    ways = [pages(study, status)[-1] for status in ("completed", "declined", "screened_out", "withdrawn")]
    return [*ways, pages(study, "screened_out", "refused")[-1]]


def parts(stage: dict[str, Any]) -> Any:
    """How far a participant is, as every page says."""
    study = Study.model_validate(STUDY | {"stages": [STUDY["stages"][0], stage, *STUDY["stages"][2:]]})
    return [progress(study, each, 0.0) for each in study.stages[:-1]]


PAGES = [
    *cases(
        "Study",
        pages,
        STUDY,
        contact="anna@example.org",
        researchers="Anna",
        ethics="E 12",
        consent={"pay": "5 pounds"},
        data={"keep_months": 3},
        arms=[STUDY["arms"][0] | {"instructions": "Stop."}],
        recruitment={"completion_url": "https://example.org/{code}"},
        stages=[STUDY["stages"][0] | {"body": "Read."}, *STUDY["stages"][1:]],
    ),
    *cases(
        "ConsentFacts",
        lambda facts: pages(STUDY | {"consent": facts}),
        {},
        pay="5 pounds",
        risks="None.",
        pay_when_leaving="All of it.",
        minimum_age=21,
    ),
    *cases("Study", pages, CROSSED, factors=[LOUD, TONES[1]]),
    *cases("Study", lambda raw: pages(CROSSED | raw), {}, arms_from={"factors": ["tone", "promise"], "arm": PROMISED}),
    *cases("TreatmentFactor", factor_column, TONES[0], id="mood", label="Tone of voice"),
    *cases(
        "TreatmentFactor",
        lambda factor: pages(CROSSED | {"factors": [factor, TONES[1]]}),
        TONES[0],
        levels=LOUD["levels"],
    ),
    *cases("FactorLevel", crossed_arms, {"id": "calm", "arm": {}}, id="quiet", arm={"instructions": "Hm."}),
    *cases(
        "ArmsFrom",
        lambda made: [arm.model_dump() for arm in Study.model_validate(CROSSED | {"arms_from": made}).arms],
        CROSSED["arms_from"],
        factors=["promise", "tone"],
        arm={"weight": 3},
        plus_control="plain",
    ),
    *cases("DataPolicy", lambda data: pages(STUDY | {"data": data}), {}, keep_months=3, shared="No one else."),
    *cases(
        "Recruitment",
        lambda rule: pages(STUDY | {"recruitment": rule}),
        {},
        completion_url="https://example.org/{code}",
        codes={"completed": "DONE"},
    ),
    *cases("CompletionCodes", ends, {}, completed="A", declined="B", screened_out="C", withdrawn="D", full="E"),
    *cases(
        "StudyArm",
        lambda arm: pages(STUDY | {"arms": [arm, STUDY["arms"][1]]}),
        STUDY["arms"][0],
        instructions="Stop.",
        pledge="I promise.",
    ),
    *cases("Stage", of_stage(0), STUDY["stages"][0], title="Welcome", body="Read."),
    *cases("Stage", of_stage(3), STUDY["stages"][3], intro="Now.", minutes=20, packs=["tasks/one", "tasks/two"]),
    *cases("Stage", of_stage(1), STUDY["stages"][1], questions=[ASKED | {"prompt": "Which?"}]),
    *cases("Stage", parts, STUDY["stages"][1], about_minutes=30),
]


def quiz_pages(stage: dict[str, Any]) -> Any:
    """The items on each page of a quiz whose bank has two forms."""
    forms = [{"id": "first", "pages": [["one"]]}, {"id": "second", "pages": [["two"]]}]
    bank = Bank.model_validate(HEAD | {"forms": forms, "items": [ITEM, ITEM | {"id": "two"}]})
    study = Study.model_validate(STUDY | {"stages": [*STUDY["stages"][:-1], stage, STUDY["stages"][-1]]})
    place = OnStage(PERSON, study, study.stage("quiz"), study.arms[0], NOW, NOW)
    context = SimpleNamespace(content_of=lambda participant: SimpleNamespace(bank=lambda folder: bank))
    return [[item.id for item in page] for page in pages_of(context, place)]


PAGES += cases("Stage", quiz_pages, {"id": "quiz", "kind": "quiz", "minutes": 5, "bank": "a"}, form="second")

# -- simulated rows: what people ask about -----------------------------------------------------------------------------


def question_of(settings: dict[str, Any]) -> str:
    """What a simulated participant asks about a pack."""
    pack = PackSettings.model_validate(settings)
    return words(PlannedQuery("explanation"), ("f",), pack.concepts, None, Random("seed"))


def room(settings: dict[str, Any]) -> Any:
    """The task as its room shows it."""
    study = Study.model_validate(STUDY)
    page = Recorder(OnStage(PERSON, study, study.stage("work"), study.arms[0], NOW, NOW))
    pack = TaskPack(PackSettings.model_validate(settings), "tasks/one", "Do it.", "", "", "", ())
    page.app.context.content.pack = lambda folder: pack
    page.app.session.document = lambda person, task: None
    page.app.help = SimpleNamespace(spec=lambda place: None)
    page.app.work = SimpleNamespace(last_run=lambda person, task: None)
    return workspace._data(page)["task"]


def pack_verdict(settings: dict[str, Any]) -> list[str]:
    """What check says of the settings of a pack in the folder `one`."""
    with tempfile.TemporaryDirectory() as folder:
        pack = Path(folder) / "one"
        pack.mkdir()
        (pack / "task.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
        try:
            load_pack(pack)
        except ProblemsFound as found:
            return [problem.what for problem in found.problems]
    return []


def bank_folder_verdict(head: dict[str, Any]) -> list[str]:
    """What check says of a bank in the folder `bank`."""
    with tempfile.TemporaryDirectory() as folder:
        bank = Path(folder) / "bank"
        bank.mkdir()
        (bank / "bank.toml").write_text(tomli_w.dumps(head), encoding="utf-8")
        return [problem.what for problem in check_bank(bank)]


ONE = {"id": "one", "title": "One"}
PACKS = [
    *cases("PackSettings", pack_verdict, ONE, id="two"),
    *cases("BankHead", bank_folder_verdict, HEAD, id="another"),
    *cases("PackSettings", question_of, ONE, concepts=["nurseries"]),
    *cases("PackSettings", room, ONE, title="Another"),
]

# -- compliance and activity -------------------------------------------------------------------------------------------

EVIDENCE = [
    Evidence("other_ai_reported", "exit", None, 1),
    Evidence("outside_paste", "work", None, 100),
    Evidence("typing_burst", "work", None, 100),
    Evidence("away", "work", None, 5),
    Evidence("answer_paste", "quiz", None, 100),
    Evidence("quiz_away", "quiz", None, 5),
    Evidence("attention_failed", "quiz", None, 1),
]


def broken_by(rule: dict[str, Any]) -> Any:
    """Which evidence breaks compliance."""
    return sorted(broken(EVIDENCE, Compliance.model_validate(rule)))


RULES = [
    *cases(
        "Compliance",
        broken_by,
        {},
        other_ai=False,
        outside_chars=50,
        burst_chars=50,
        away_minutes=1.0,
        answer_chars=50,
        quiz_away_minutes=1.0,
        attention_failed=0,
    ),
]

# -- assistants: what is asked of the model, what it may use, what the room shows --------------------------------------

SPEC: dict[str, Any] = {
    "id": "full",
    "version": "1",
    "label": "A",
    "prompt": "Help.",
    "price": {"input_usd": 2, "output_usd": 10},
}
USED = Usage(turns=3, input_tokens=2000, output_tokens=2000, cost_usd=1.0)
REQUEST = AssistantRequest(message="How?", brief="Write f.", code="")


def allowed(spec: dict[str, Any], worked: float | None = None) -> Any:
    """Whether there is room for one more reply, and how long it may be."""
    return allowance(AssistantSpec.model_validate(spec), USED, USED, worked_minutes=worked)


def assistant_view(spec: dict[str, Any]) -> Any:
    """The assistant as the room shows it."""
    study = Study.model_validate(STUDY)
    stage = study.stage("work")
    page = Recorder(OnStage(PERSON, study, stage, study.arms[0], NOW, NOW + timedelta(minutes=10)))
    treatment = AssistantSpec.model_validate(spec)
    begun = SimpleNamespace(visit=lambda person, stage: Visit("p1", "work", NOW, NOW + timedelta(minutes=10)))
    page.app.help = SimpleNamespace(
        spec=lambda place: treatment,
        conversation=lambda person: [],
        opens_at=lambda place: opens_at(begun, place, treatment),
        goes_without_asking=lambda place: False,
    )
    return workspace._assistant(page)


def asked(spec: dict[str, Any]) -> Any:
    """What is sent to the model."""
    return conversation(AssistantSpec.model_validate(spec), REQUEST)


def reply_of(spec: dict[str, Any]) -> str:
    """The embedded assistant's reply to a request for the code of a function."""
    request = AssistantRequest("write the code of timer", "Write timer.", "", pack=str(ROOT / "tasks" / "trio_timer"))
    assistant = NotesAssistant(AssistantSpec.model_validate(spec), seconds_per_word=0)

    async def words() -> str:
        return "".join([piece.text async for piece in assistant.reply(request) if isinstance(piece, TextDelta)])

    return asyncio.run(words())


def spent(price: dict[str, float]) -> float:
    """What a turn costs."""
    return turn_usage(
        AssistantSpec.model_validate(SPEC | {"price": price}), input_tokens=9, output_tokens=9, seconds=1
    ).cost_usd


def replies_with_code(spec: dict[str, Any]) -> Any:
    """What the console says of the replies of a treatment that must not give code; one of `full` has the solution."""
    made = AssistantSpec.model_validate(spec | {"gives_code": False})
    solution = "def double(value):\n    total = value + value\n    return total\n"
    pack = TaskPack(PackSettings.model_validate(ONE), "tasks/one", "Do it.", "", solution, "", ())
    content = SimpleNamespace(specs={made.id: made}, pack=lambda folder: pack)
    turn = SimpleNamespace(participant_id=PERSON.id, task="one", treatment="full", reply=solution)
    return treatment_leaks(SimpleNamespace(content=content, study=Study.model_validate(STUDY)), [PERSON], [turn])


ASSISTANTS = [
    *cases("AssistantSpec", replies_with_code, SPEC, id="other", version="2"),
    *cases(
        "AssistantSpec",
        assistant_view,
        SPEC,
        label="B",
        greeting="Hello.",
        allow_paste=False,
        allow_insert=True,
        opens_after_minutes=5,
    ),
    *cases("AssistantSpec", asked, SPEC, prompt="Ask.", persona={"id": "warm", "fragment": "Be friendly."}),
    *cases("AssistantSpec", reply_of, SPEC, gives_code=False),
    *cases("AssistantSpec", reply_of, SPEC | {"gives_code": False, "manner": "hints"}, manner="questions"),
    *cases(
        "AssistantSpec",
        allowed,
        SPEC,
        parameters={"max_tokens": 300},
        limits={"turns": 3},
        study_limits={"output_tokens": 2000},
    ),
    *cases("Parameters", lambda given: allowed(SPEC | {"parameters": given}), {}, max_tokens=300),
    *cases(
        "AssistantLimits",
        lambda given: allowed(SPEC | {"limits": given}, 5.0),
        {},
        turns=3,
        output_tokens=2000,
        minutes=4.0,
        cost_usd=1.0,
    ),
    *cases("StudyLimits", lambda given: allowed(SPEC | {"study_limits": given}), {}, output_tokens=2000, cost_usd=1.0),
    *cases("Price", spent, SPEC["price"], input_usd=9, output_usd=90),
]

# -- rows: which columns the participants table has, and how time is classified ----------------------------------------


def columns(stage: dict[str, Any]) -> Any:
    """Columns of the participants table, in order."""
    study = Study.model_validate(STUDY | {"stages": [STUDY["stages"][0], stage, *STUDY["stages"][2:]]})
    return [column.name for column in participants_table([study], {}).columns]


def time_told_apart(rule: dict[str, float]) -> Any:
    """Active and away time of a visit of ten minutes with three acts and a short look aside."""
    study = Study.model_validate(STUDY | {"activity": rule})
    kinds = [("edit", 0), ("edit", 100), ("hidden", 120), ("visible", 130), ("edit", 300)]
    events = [
        Event("p", "page", n, kind, "work", NOW + timedelta(seconds=at), at * 1000, at * 1000)
        for n, (kind, at) in enumerate(kinds, 1)
    ]
    visit = Visit("p", "work", NOW, None, NOW + timedelta(seconds=600), "participant")
    return visit_use(visit, study, Timeline.of(events, moments(events)))


def captions(survey: dict[str, Any]) -> Any:
    """What the dataset's codebook says of each column: the only place for a caption."""
    study = Study.model_validate(STUDY | {"stages": [STUDY["stages"][0], survey, *STUDY["stages"][2:]]})
    return [column.caption for column in participants_table([study], {}).columns]


def pattern_of_one_query(raw: dict[str, Any]) -> str | None:
    """The pattern of a participant who asked once, for an explanation."""
    features = dict.fromkeys(PATTERN_FEATURES, 0) | {"queries": 1, "explanation": 1, "queries_per_task": 1.0}
    return decide("p", features, rules_of(Study.model_validate(raw).styles)).pattern


OWN_PATTERN = {"pattern": "Reader", "when": "explanation > 0"}
KEYED = STUDY["stages"][1] | {"questions": [ASKED | {"correct": 1}]}


def status_after_silence(rule: dict[str, Any]) -> str:
    """The status of a participant of whom nothing was heard for five hours."""
    study = Study.model_validate(STUDY | {"recruitment": rule})
    context = SimpleNamespace(study=study, now=lambda: NOW + timedelta(hours=5))
    return current_status(context, PERSON)  # type: ignore[arg-type]


def waiting_page(session: dict[str, Any]) -> Any:
    """The page between two sessions."""
    stages = [*STUDY["stages"][:-1], STUDY["stages"][-1] | {"session": "later"}]
    first = {"id": "first"}
    study = Study.model_validate(
        STUDY | {"sessions": [first, session], "stages": [stage | {"session": "first"} | stage for stage in stages]}
    )
    opens_at = NOW + timedelta(days=study.delay_before(study.stages[-1]))
    page = Recorder(Waiting(PERSON, study, study.stages[-1], study.arms[0], NOW, opens_at))
    page.leave_button = lambda: None  # type: ignore[method-assign]
    waiting.draw(page)
    return page.shown


ROWS = [
    *cases("Recruitment", status_after_silence, {}, abandoned_after_hours=4.0),
    *cases("StudySession", waiting_page, {"id": "later", "delay_days": 2.0}, delay_days=9.0),
    *cases("Stage", columns, KEYED, exit=True, scores=[{"id": "sum", "of": ["q"]}]),
    *cases("DerivedScore", lambda sums: columns(KEYED | {"scores": [sums]}), {"id": "sum", "of": ["q"]}, id="total"),
    *cases(
        "DerivedScore",
        lambda score: captions(KEYED | {"scores": [score]}),
        {"id": "sum", "of": ["q"]},
        caption="Right answers",
    ),
    *cases(
        "Question", lambda question: captions(KEYED | {"questions": [question]}), ASKED, caption="Which one they chose"
    ),
    *cases("ActivityRule", time_told_apart, {}, idle_after_seconds=10.0, away_after_seconds=20.0),
    *cases("Study", pattern_of_one_query, STUDY, styles={"version": "mine-1", "patterns": [OWN_PATTERN]}),
    *cases(
        "Study", lambda raw: time_told_apart(raw["activity"]), {"activity": {}}, activity={"idle_after_seconds": 10.0}
    ),
]

# -- the plan: estimates and the report --------------------------------------------------------------------------------

FAST: dict[str, Any] = {"replicates": 99}


@cache
def dataset() -> Path:
    """A synthetic trial of sixty people."""
    return write(Path(tempfile.mkdtemp()), n=60, plan=FAST, dropout=0.1, missing_quiz=0.05, noncompliance=0.1)


def estimates(plan: dict[str, Any]) -> Any:
    """Rows, flow, baseline and warnings of an analysis."""
    found = analyse(load(dataset()), Plan.model_validate(FAST | plan).with_limit(35))
    rows = [{k: v for k, v in row.items() if not k.startswith("status")} for row in found["estimates"]]
    return rows, found["flow"], found["baseline"], found["deviations"], found["warnings"]


def report(plan: dict[str, Any]) -> str:
    """The body of the report without what tells plans apart by their hash."""
    import re

    with tempfile.TemporaryDirectory() as folder:
        trial = write(Path(folder) / "data", n=24, plan=FAST | plan)
        analyze(trial, Path(folder) / "out")
        text = (Path(folder) / "out" / "report.html").read_text(encoding="utf-8")
    return re.sub(r"\b[0-9a-f]{8,64}\b|\b\d{10,}\b", "", text)


def report_of_study(change: dict[str, Any]) -> str:
    """The body of the report of a trial whose study file is changed."""
    with tempfile.TemporaryDirectory() as folder:
        trial = write(Path(folder) / "data", n=24, plan=FAST)
        path = trial / "materials" / "study.toml"
        path.write_text(tomli_w.dumps(tomllib.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
        analyze(trial, Path(folder) / "out")
        return (Path(folder) / "out" / "report.html").read_text(encoding="utf-8")


def report_of_arm(arm: dict[str, Any]) -> str:
    """The same where the arm with the assistant is changed."""
    plain = {"id": "no_ai", "label": "Plain", "control": not arm["control"]}
    return report_of_study({"arms": [plain, {"id": "ai", "assistant": "full"} | arm]})


MARK = "Zanzibar"
TEXTS = {"outcome": "quiz_points", "population": "p", "treatments": "t", "variable": "v", "summary": "s"}
EVENT = {"event": "e", "strategy": "composite", "handling": "h"}
SCORE = {"id": "quiz_points", "kind": "bounded", "upper": 27}
MARKS = SCORE | {"id": "marks", "column": "quiz_points"}
TIME = {"id": "completion_minutes", "kind": "time", "event": "completion_event", "cap": 35}


def with_outcome(look: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Looks at a plan of one outcome."""
    return lambda outcome: look({"outcomes": [outcome]})


def estimand(table: dict[str, Any]) -> str:
    """The report of a plan with one estimand."""
    return report({"estimands": [table]})


def with_analysis(analysis: dict[str, Any]) -> Any:
    """Rows of a plan with one analysis beside its primary rows."""
    return estimates({"analyses": [analysis]})


def adjusted_by(rule: dict[str, Any]) -> Any:
    """Adjusted p values of three primary rows."""
    plan = {"primary": ["quiz_points", "completion_minutes", "errors"], "multiplicity": rule}
    return [row["p_adjusted"] for row in estimates(plan)[0]]


GRAPH = {"method": "graphical", "weights": [0.5, 0.25, 0.25], "transitions": [[0, 1, 0], [0, 0, 1], [1, 0, 0]]}
WELCH = {"outcome": "quiz_points", "method": "welch_t"}
LIN = {"outcome": "quiz_points", "method": "lin"}
AGE = {"column": "async_check"}
YEARS = {"column": "years_python"}
PLANS = [
    *cases(
        "Plan",
        estimates,
        {},
        slow=True,
        control="ai",
        outcomes=[SCORE, TIME],
        primary=["quiz_points"],
        level=0.9,
        replicates=199,
        horizon=20.0,
        covariates=[],
        subgroups=[],
        analyses=[WELCH],
        secondary=[{"id": "runs", "kind": "count"}],
        multiplicity={"method": "bonferroni"},
        margins=[{"outcome": "quiz_points", "margin": 2.0}],
        fallback={"people_per_covariate": 60.0},
    ),
    *cases("Plan", report, {}, slow=True, estimands=[TEXTS], stopping={"text": MARK}, compliance={"received": MARK}),
    *cases(
        "Outcome",
        with_outcome(estimates),
        SCORE,
        slow=True,
        id="quiz_conceptual_points",
        kind="continuous",
        unit="marks",
        upper=30.0,
        upper_column="quiz_max",
    ),
    *cases("Outcome", with_outcome(estimates), TIME, slow=True, cap=20.0, event="task_completed", censored="right"),
    *cases("Outcome", with_outcome(estimates), MARKS, slow=True, column="errors"),
    *cases("Outcome", with_outcome(report), SCORE, slow=True, label=MARK),
    *cases(
        "Estimand",
        estimand,
        TEXTS,
        slow=True,
        outcome="errors",
        population=MARK,
        treatments=MARK,
        variable=MARK,
        summary=MARK,
        missing=MARK,
        intercurrent=[EVENT],
    ),
    *cases(
        "IntercurrentEvent",
        lambda event: estimand(TEXTS | {"intercurrent": [event]}),
        EVENT,
        slow=True,
        event=MARK,
        strategy="hypothetical",
        handling=MARK,
    ),
    *cases(
        "Covariate",
        lambda given: estimates({"covariates": [given]}),
        YEARS,
        slow=True,
        column="warmup_minutes",
        scores=["4", "2", "3"],
    ),
    *cases("Covariate", lambda given: report({"covariates": [given]}), YEARS, slow=True, label=MARK),
    *cases("Subgroup", lambda given: estimates({"subgroups": [given]}), YEARS, slow=True, column="python_weekly"),
    *cases("Subgroup", lambda given: report({"subgroups": [given]}), YEARS, slow=True, label=MARK),
    *cases(
        "Analysis",
        with_analysis,
        WELCH,
        slow=True,
        outcome="errors",
        method="student_t",
        role="exploratory",
        population="per_protocol",
        label="mine",
    ),
    *cases("Analysis", with_analysis, LIN, slow=True, adjusted=True, options={"vcov": "HC2"}),
    *cases(
        "Fallback",
        lambda rule: estimates({"fallback": rule}),
        {},
        slow=True,
        max_leverage=0.01,
        people_per_covariate=60.0,
    ),
    *cases(
        "Margin",
        lambda margin: estimates({"margins": [margin]}),
        {"outcome": "quiz_points", "margin": 2.0},
        slow=True,
        outcome="errors",
        margin=9.0,
    ),
    *cases(
        "Multiplicity",
        adjusted_by,
        GRAPH,
        slow=True,
        method="holm",
        weights=[0.1, 0.1, 0.8],
        transitions=[[0, 0, 1], [1, 0, 0], [0, 1, 0]],
    ),
    *cases("Study", report_of_study, {}, slow=True, title=MARK, description=MARK),
    *cases("StudyArm", report_of_arm, {"label": "Helped", "control": False}, slow=True, label=MARK, control=True),
    *cases("Compliance", lambda rule: report({"compliance": rule}), {}, slow=True, received=MARK, compliant=MARK),
    *cases("Stopping", lambda rule: report({"stopping": rule}), {}, slow=True, text=MARK),
]

CASES = [*PACKS, *ALLOCATION, *QUIZ, *QUESTIONS, *SCORES, *PAGES, *RULES, *ASSISTANTS, *ROWS, *PLANS]
