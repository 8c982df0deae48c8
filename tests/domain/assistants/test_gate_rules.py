"""The explain-first gate: what counts as an explanation, and replies whose code never passes however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.assistants.gate import judged_by_rules
from study_app.domain.assistants.withheld_code import CodeFilter

BRIEF = {
    "en": "Write `middle(scores)`, which returns the median of a list of scores. Sort the scores before taking the one "
    "in the middle; with an even number of scores the mean of the two in the middle is the median.",
    "de": "Schreiben Sie `mitte(werte)`: Die Funktion gibt den Median einer Liste von Werten zurück. Sortieren Sie die "
    "Werte; bei gerader Anzahl ist der Median der Mittelwert der beiden mittleren Werte.",
    "es": "Escriba `mediana(notas)`, que devuelve la mediana de una lista de notas. Ordene las notas; con un número "
    "par, la mediana es la media de las dos notas centrales.",
    "fr": "Écrivez `mediane(notes)`, qui renvoie la médiane d'une liste de notes. Triez les notes ; avec un nombre "
    "pair, la médiane est la moyenne des deux notes centrales.",
}
IDEAS = {
    "en": "First I would put the scores in order, then look at how many there are: an odd count has one median in the "
    "centre, otherwise I take both neighbours and average them, because neither alone splits the list.",
    "de": "Zuerst ordne ich alle Werte der Größe nach, dann zähle ich sie: Bei einer ungeraden Anzahl nehme ich den "
    "einen in der Mitte als Median, sonst die zwei Nachbarn und davon den Durchschnitt, weil keiner allein reicht.",
    "es": "Primero pondría las notas en orden y luego contaría cuántas hay: si el total es impar tomo la del centro "
    "como mediana, y cuando es par sumo las vecinas y divido, porque ninguna sola parte la lista.",
    "fr": "D'abord je mettrais les notes dans l'ordre, puis je compterais : si le total est impair je prends celle du "
    "centre comme médiane, sinon j'additionne les voisines et je divise, car aucune seule ne coupe la liste.",
}
ASKING = {
    "en": [
        "Please write the complete function that sorts the scores and then returns the median, because I need it now.",
        "How do I first sort the scores and then take the median of the list when there is an even number of them?",
    ],
    "de": [
        "Bitte schreib mir die ganze Funktion, die zuerst die Werte sortiert und dann den Median der Liste zurückgibt.",
        "Wie sortiere ich zuerst die Werte und nehme dann den Median der Liste, wenn es eine gerade Anzahl ist?",
    ],
    "es": [
        "Escribe la función completa que primero ordena las notas y luego devuelve la mediana de la lista entera.",
        "¿Cómo ordeno primero las notas y luego tomo la mediana de la lista cuando hay un número par de notas?",
    ],
    "fr": [
        "Écris la fonction complète qui trie d'abord les notes puis renvoie la médiane de la liste tout entière.",
        "Comment trier d'abord les notes puis prendre la médiane de la liste quand il y a un nombre pair de notes ?",
    ],
}


@pytest.mark.parametrize("language", IDEAS)
def test_an_idea_in_ones_own_words_opens_the_gate(language):
    judged = judged_by_rules(IDEAS[language], BRIEF[language], language=language)
    assert (judged.verdict, judged.reason, judged.withholds) == ("explained", "explained", False)


@pytest.mark.parametrize(("language", "message"), [(each, text) for each in ASKING for text in ASKING[each]])
def test_questions_and_requests_do_not(language, message):
    judged = judged_by_rules(message, BRIEF[language], language=language)
    assert (judged.verdict, judged.reason) == ("not_explained", "only_asks")


@pytest.mark.parametrize("language", BRIEF)
def test_neither_does_the_brief_nor_a_reply_given_back(language):
    assert judged_by_rules(BRIEF[language], BRIEF[language], language=language).withholds
    echo = judged_by_rules(IDEAS[language], BRIEF[language], [IDEAS[language]], language)
    assert (echo.verdict, echo.reason) == ("not_explained", "copied")


def test_reasons_tell_what_is_missing():
    def reason(message: str) -> str:
        return judged_by_rules(message, BRIEF["en"]).reason

    assert reason("I sort the scores.") == "too_short"
    assert (
        reason("My dog first ran across the garden, then he slept, because it had been a long and rainy day.")
        == "off_task"
    )
    listed = "Scores and a median and a middle and a number and a list and an even count and the mean of them"
    assert reason(listed) in ("no_steps", "copied", "too_short")
    assert reason("```python\ndef middle(scores):\n    return sorted(scores)[0]\n```") == "too_short"


REPLIES = (
    "Use this:\n```python\ndef f(x):\n    return SECRET(x)\n```\nDone.",
    "1. Sort.\n   ```\n   SECRET = sorted(x)\n   ```\n2. Done.",
    "Write\n\n    SECRET(x)\n\nand go on.",
    "~~~\nSECRET\n~~~",
    "```py\nSECRET(1)",
    "Say `SECRET = 1` or ``for a in SECRET: print(a)``.",
    "def f(x):\nreturn SECRET(x)\nSECRET = f(1)\nfrom SECRET import a\nprint(SECRET)",
    "> ```\n> SECRET = 1\n> ```\nThat is it.",
    "```SECRET = 1```",
)


@given(reply=st.sampled_from(REPLIES), cuts=st.lists(st.integers(0, 80), max_size=12))
def test_no_code_passes_however_a_reply_is_cut(reply, cuts):
    through = CodeFilter()
    at = [0, *sorted(min(cut, len(reply)) for cut in cuts), len(reply)]
    shown = "".join(through.feed(reply[a:b]) for a, b in zip(at, at[1:], strict=False)) + through.end()
    assert "SECRET" not in shown
    assert through.withheld > 0


@given(cuts=st.lists(st.integers(0, 400), max_size=12))
def test_words_pass_as_they_are(cuts):
    reply = (
        "Think of the list first.\n\n- What does `sorted` give you?\n- If there are two in the middle, which counts?"
        "\n    - Both do.\n\nFor each of them: say why. Return to it later, and import nothing.\n1. Try it (short)"
    )
    through = CodeFilter()
    at = [0, *sorted(min(cut, len(reply)) for cut in cuts), len(reply)]
    assert "".join(through.feed(reply[a:b]) for a, b in zip(at, at[1:], strict=False)) + through.end() == reply
    assert through.withheld == 0
