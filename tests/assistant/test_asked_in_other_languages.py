"""What participants ask of the embedded assistant in German, Spanish and French is read as what it is."""

from __future__ import annotations

from functools import cache

import pytest
from support.paths import ROOT

from study_app.assistant.embedded.languages.answering import answer_from
from study_app.assistant.embedded.languages.wanted import says, wanted
from study_app.assistant.embedded.message import RequestText
from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.content.texts import catalogue, shipped_languages
from study_app.domain.assistants.treatments import AssistantRequest, Manner

PACK = ROOT / "tasks" / "trio_timer"
BRIEF = (PACK / "brief.md").read_text()
ASKED = {
    "de": {
        "write": [
            "Schreib mir bitte timer",
            "Kannst du den ganzen Code schreiben?",
            "Löse die Aufgabe für mich",
            "Gib mir den Code",
            "Zeig mir die Lösung",
            "implementiere delayed_greeting",
            "Wie schreibe ich together?",
        ],
        "start": [
            "Wie fange ich an?",
            "Ich weiß nicht weiter",
            "Gib mir einen Hinweis",
            "Was soll ich als Nächstes tun?",
            "Kannst du mir helfen?",
            "Hilfe!",
            "Ich stecke fest",
        ],
        "task": ["Was muss ich hier machen?", "Ich verstehe die Aufgabe nicht", "Worum geht es?", "Was soll ich tun?"],
        "run": ["Wie führe ich das aus?", "Wie kann ich das Programm testen?", "Wie gebe ich ab?"],
        "wrong": [
            "Warum funktioniert mein Programm nicht?",
            "Was ist hier falsch?",
            "Da kommt ein Fehler",
            "Mein Code geht nicht",
            "Es passiert nichts",
        ],
        "explain": [
            "Was ist eine nursery?",
            "Erklär mir await",
            "Wie funktioniert ein Zeitlimit?",
            "Wozu braucht man async?",
        ],
        "": ["Hallo", "danke", "ja", "move_on_after"],
    },
    "es": {
        "write": [
            "Escribe timer por favor",
            "¿Puedes escribir todo el código?",
            "Resuelve la tarea",
            "Dame el código",
            "Muéstrame la solución",
            "¿Cómo escribo together?",
        ],
        "start": [
            "¿Por dónde empiezo?",
            "Dame una pista",
            "Estoy atascada",
            "¿Cómo sigo?",
            "¿Puedes ayudarme?",
            "ayuda",
        ],
        "task": ["¿Qué tengo que hacer?", "No entiendo la tarea", "Que debo hacer aqui?"],
        "run": ["¿Cómo ejecuto el programa?", "¿Cómo puedo probar esto?", "¿Cómo entrego la tarea?"],
        "wrong": ["¿Por qué no funciona mi programa?", "¿Qué está mal?", "Me sale un error", "por que falla"],
        "explain": [
            "¿Qué es una nursery?",
            "Explícame await",
            "¿Cómo funciona un límite de tiempo?",
            "¿Para qué sirve async?",
        ],
        "": ["Hola", "gracias", "sí", "move_on_after"],
    },
    "fr": {
        "write": [
            "Écris timer s'il te plaît",
            "Peux-tu écrire tout le code ?",
            "Résous l'exercice",
            "Donne-moi le code",
            "Montre-moi la solution",
            "Comment écrire together ?",
        ],
        "start": [
            "Par où commencer ?",
            "Donne-moi un indice",
            "Je suis bloquée",
            "Quelle est l'étape suivante ?",
            "Peux-tu m'aider ?",
            "aide-moi",
        ],
        "task": ["Que dois-je faire ?", "Je ne comprends pas l'exercice", "Qu'est-ce que je dois faire ?"],
        "run": ["Comment exécuter le programme ?", "Comment tester ça ?", "Comment remettre l'exercice ?"],
        "wrong": [
            "Pourquoi mon programme ne marche pas ?",
            "Qu'est-ce qui est faux ?",
            "J'ai une erreur",
            "ca ne marche pas",
        ],
        "explain": ["Qu'est-ce qu'une nursery ?", "Explique-moi await", "Comment fonctionne une limite de temps ?"],
        "": ["Bonjour", "merci", "oui", "move_on_after"],
    },
}
KINDS = [(language, what) for language, kinds in ASKED.items() for what in kinds]
SAID = {
    # The whole program, one function, a hint, the task, more of it.
    "de": (
        "Schreib mir das ganze Programm",
        "Schreib mir timer",
        "Gib mir einen Hinweis",
        "Was muss ich machen?",
        "ja bitte",
    ),
    "es": ("Escribe todo el programa", "Escribe timer", "Dame una pista", "¿Qué tengo que hacer?", "sí, sigue"),
    "fr": ("Écris tout le programme", "Écris timer", "Donne-moi un indice", "Que dois-je faire ?", "oui, continue"),
}


@cache
def notes() -> Notebook:
    return Notebook(notes_in_folder(str(PACK)))


def reply(language: str, message: str, manner: Manner = "answers", history=(), code: str | None = None) -> str:
    starter = (PACK / "starter.py").read_text()
    sent = AssistantRequest(
        message,
        BRIEF,
        starter if code is None else code,
        tuple(history),
        "t",
        str(PACK),
        starter=starter,
        language=language,
    )
    texts = catalogue(language).table("embedded")
    return answer_from(sent, notes(), texts, manner=manner, gives_code=manner == "answers")


def test_every_shipped_language_but_english_is_asked_in():
    assert set(ASKED) == set(SAID) == set(shipped_languages()) - {"en"}


@pytest.mark.parametrize(("language", "what"), KINDS)
def test_a_question_is_read_as_what_it_asks_for(language, what):
    texts = catalogue(language).table("embedded")
    read = {said: wanted(RequestText(said), BRIEF, texts) for said in ASKED[language][what]}
    assert read == dict.fromkeys(read, what)


@pytest.mark.parametrize("language", SAID)
def test_an_assistant_that_answers_writes_what_is_asked_for_and_goes_on(language):
    whole, one, _, task, more = SAID[language]
    said = reply(language, whole)
    assert said.count("```python") == 1
    assert all(f"def {name}(" in said for name in ("timer", "delayed_greeting", "together"))
    assert "def timer(" in (first := reply(language, one))
    assert "def together(" not in first
    assert "def delayed_greeting(" in reply(language, more, history=[(one, first)])
    assert "tick 1" in reply(language, task)
    assert "timer" in reply(language, task).splitlines()[-1]  # What is not written yet.


@pytest.mark.parametrize("language", SAID)
@pytest.mark.parametrize("manner", ["hints", "questions"])
def test_one_that_gives_no_code_gives_its_next_point_whatever_is_asked(language, manner):
    for message in SAID[language]:
        assert "```" not in reply(language, message, manner)
    whole, _, hint, _, more = SAID[language]
    nothing = catalogue(language)["embedded.nothing"]
    first = reply(language, hint, manner)
    assert first.startswith("**timer**")
    second = reply(language, more, manner, history=[(hint, first)])
    assert second.startswith("**timer**")
    assert second != first
    assert nothing not in reply(language, whole, manner)


def test_the_whole_brief_sent_as_a_message_asks_for_the_program():
    assert "def together(" in reply("de", BRIEF)


def test_a_program_alone_is_looked_at():
    faulty = (PACK / "solution.py").read_text().replace("await trio.sleep", "trio.sleep")
    assert "await trio.sleep" in reply("de", faulty)


@pytest.mark.parametrize(
    ("message", "listed", "found"),
    [
        ("Wie FÜHRE ich das aus", "wie+fuhre+aus", True),
        ("was ist das", "was_ist", True),
        ("was das ist", "was_ist", False),
        ("geschrieben", "schreib*", False),
        ("schreibst", "schreib*", True),
        ("start_soon", "start", False),
    ],
)
def test_entries_of_a_list_are_words_together_in_order_or_with_any_ending(message, listed, found):
    assert says(message, listed) == found
