"""The embedded assistant in other languages: it finds the same faults, and says nothing in English."""

from __future__ import annotations

import re
from functools import cache

import pytest
from support.browser.pseudo import KEPT, plain, pseudo, pseudo_notes
from support.paths import ROOT

from study_app.assistant.embedded.acting import in_words, next_step
from study_app.assistant.embedded.languages.answering import answer_from
from study_app.assistant.inspection import inspected
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.content.texts import catalogue, shipped_languages
from study_app.domain.assistants.acting import AgentRequest, AgentStep, ToolCall
from study_app.domain.assistants.agent_settings import TOOLS
from study_app.domain.assistants.embedded_sentences import FAULTS
from study_app.domain.assistants.treatments import AssistantRequest
from study_app.domain.localisation.study_texts import placeholders

PACK = ROOT / "tasks" / "trio_timer"
SOLUTION = (PACK / "solution.py").read_text()
BROKEN = {
    "an await is missing": SOLUTION.replace("await trio.sleep", "trio.sleep"),
    "the import is missing": SOLUTION.replace("import trio\n", ""),
    "with for async with": SOLUTION.replace("async with trio", "with trio"),
    "def for async def": SOLUTION.replace("async def", "def", 1),
    "a misspelt name": SOLUTION.replace("open_nursery", "open_nursey"),
    "not Python": SOLUTION.replace("):", ")", 1),
    "nothing": "",
    "the starter": (PACK / "starter.py").read_text(),
}
ASKED = {
    "de": "Warum funktioniert mein Programm nicht?",
    "es": "¿Por qué no funciona mi programa?",
    "fr": "Pourquoi mon programme ne marche pas ?",
}
LINE = {"de": "Zeile", "es": "línea", "fr": "ligne"}
OTHERS = sorted(set(shipped_languages()) - {"en"})


@cache
def notes() -> Notebook:
    return Notebook(notes_in_folder(str(PACK)))


@cache
def marked_notes() -> Notebook:
    return Notebook(pseudo_notes(PACK))


def request(message: str, code: str, language: str) -> AssistantRequest:
    starter = (PACK / "starter.py").read_text()
    return AssistantRequest(message, "", code, (), "t", str(PACK), starter=starter, language=language)


def left_in_english(text: str) -> list[str]:
    """What stands in plain letters outside code and the names of functions."""
    prose = re.sub(r"\*\*\w+\*\*", "", KEPT.sub("", text))
    return plain(prose.splitlines())


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_wrong_in_a_program_is_said_in_the_language_of_who_asks(language):
    texts, notebook = catalogue(language).table("embedded"), notes()
    code = BROKEN["an await is missing"]
    [line] = {finding.line for finding in inspected(code, notebook)[:1]}
    said = answer_from(request(ASKED[language], code, language), notebook, texts, manner="answers", gives_code=True)
    assert f"{LINE[language]} {line}".casefold() in said.casefold()
    assert "await trio.sleep" in said
    hint = answer_from(request(ASKED[language], code, language), notebook, texts, manner="questions", gives_code=False)
    assert str(line) in hint
    assert "```" not in hint


@pytest.mark.parametrize("language", OTHERS)
def test_how_something_works_is_a_question_about_an_idea_and_not_about_a_fault(language):
    asked = {"de": "Wie funktioniert eine nursery?", "es": "¿Cómo funciona una nursery?"}
    message = asked.get(language, "Comment fonctionne une nursery ?")
    texts, notebook = catalogue(language).table("embedded"), notes()
    sent = request(message, BROKEN["an await is missing"], language)
    said = answer_from(sent, notebook, texts, manner="answers", gives_code=False)
    assert f"{LINE[language]} " not in said.casefold().split("**")[0]
    assert "nursery" in said.casefold()


@pytest.mark.parametrize("language", OTHERS)
def test_every_finding_is_read_back_with_all_that_it_was_filled_with(language):
    texts = catalogue(language).table("embedded")
    for key, template in FAULTS.english.items():
        values = {name: f"{name}_" for name in placeholders(template)}
        said = in_words(FAULTS(key, **values), texts)
        assert said == texts[f"fault.{key}"].format(**values), key


@pytest.mark.parametrize("name", BROKEN)
def test_nothing_that_it_says_of_a_program_is_in_english(name):
    texts = {key: pseudo(text) for key, text in catalogue("en").table("embedded").items()}
    notebook = marked_notes()
    for manner in ("answers", "hints", "questions"):
        for message in (pseudo("error"), "NameError: name 'x' is not defined", pseudo("hello"), "timer", pseudo("zzz")):
            sent = request(message, BROKEN[name], "qps")
            said = answer_from(sent, notebook, texts, manner=manner, gives_code=manner == "answers")  # type: ignore[arg-type]
            assert left_in_english(said) == [], (manner, message, said)


RESULTS = ["Ended by: exit.\nExample 'timer(1)' fails: no", "Ended by: exit.\nError in line 3: NameError: name 'x'"]


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("name", BROKEN)
def test_nothing_that_it_says_of_its_own_steps_is_in_english(name, result):
    texts = {key: pseudo(text) for key, text in catalogue("en").table("embedded").items()}
    notebook = marked_notes()
    sent, steps = request("x", BROKEN[name], "qps"), []
    for _ in range(12):
        following = next_step(AgentRequest(sent, BROKEN[name], tuple(steps), TOOLS), notebook, texts)
        call = following.call or ToolCall("report", {"summary": ""})
        for said in (following.text, call.input.get("question", ""), call.input.get("summary", "")):
            assert left_in_english(said) == [], said
        if call.tool == "report":
            break
        failed = call.tool == "run"
        steps.append(
            AgentStep(following.text, call, result if failed else "x", failed, "reject" if failed else "approve")
        )
    assert steps
