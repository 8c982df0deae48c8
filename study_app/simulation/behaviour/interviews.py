"""Simulated interviewees: their answers hold themes that are planted at stated rates by arm.

The themes are the truth that a coding of such interviews is measured against: `planted` says who has which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from study_app.dataset.measures.interviews.rows import turn_field
from study_app.domain.interviews.plan import Topic
from study_app.services.participant.interviewing.interviews import Interviews
from study_app.services.participant.interviewing.state import MISSING, RATING, Interview
from study_app.simulation.behaviour.browser_tab import Tab
from study_app.simulation.behaviour.forms import Written, fill_in_form

Outcome = Literal["answered", "skipped", "stopped"]
SKIPS, STOPS, SHORT = 0.04, 0.01, 0.15
"""Shares of questions that are skipped, stop the interview, or are answered in a few words."""
SECONDS_A_WORD = (1.2, 3.0)


@dataclass(frozen=True)
class PlantedTheme:
    """A theme, how often people of each kind of arm have it, and sentences that say it."""

    control: float
    treated: float
    sentences: Mapping[str, Sequence[str]]
    """Language -> sentences."""


THEMES: Mapping[str, PlantedTheme] = {
    "documentation": PlantedTheme(
        0.70,
        0.35,
        {
            "en": (
                "I kept the documentation open the whole time and read the page on nurseries twice.",
                "Most of what I needed I found in the reference pages and their examples.",
                "I went back to the documentation whenever a name was new to me.",
                "Reading the reference first saved me from guessing.",
            ),
            "de": (
                "Ich hatte die Dokumentation die ganze Zeit offen und las die Seite über Nurseries zweimal.",
                "Das meiste fand ich in der Referenz und ihren Beispielen.",
                "Ich schlug in der Dokumentation nach, sobald mir ein Name neu war.",
                "Erst die Referenz zu lesen, ersparte mir das Raten.",
            ),
        },
    ),
    "trial_and_error": PlantedTheme(
        0.50,
        0.50,
        {
            "en": (
                "I changed one line, ran the program, and looked at what it printed.",
                "Mostly I tried things out until the output looked right.",
                "I ran it again and again with small changes.",
                "It was trial and error: run, look, change, run.",
            ),
            "de": (
                "Ich änderte eine Zeile, ließ das Programm laufen und sah mir die Ausgabe an.",
                "Meistens probierte ich herum, bis die Ausgabe stimmte.",
                "Ich ließ es mit kleinen Änderungen immer wieder laufen.",
                "Es war Versuch und Irrtum: laufen lassen, ansehen, ändern.",
            ),
        },
    ),
    "handed_over": PlantedTheme(
        0.05,
        0.45,
        {
            "en": (
                "I let a tool write the function and only pasted the result.",
                "I handed the whole task over and took what came back.",
                "Someone else's code did the work, and I copied it without thinking much.",
                "I asked for the complete solution and put it in as it was.",
            ),
            "de": (
                "Ich ließ die Funktion schreiben und fügte das Ergebnis nur noch ein.",
                "Ich gab die ganze Aufgabe ab und nahm, was zurückkam.",
                "Fremder Code erledigte die Arbeit, und ich kopierte ihn, ohne viel nachzudenken.",
                "Ich bat um die vollständige Lösung und übernahm sie unverändert.",
            ),
        },
    ),
    "time_pressure": PlantedTheme(
        0.40,
        0.25,
        {
            "en": (
                "The clock made me nervous, and I stopped reading properly.",
                "With the minutes running out I took shortcuts.",
                "I felt rushed and skipped parts that I would have liked to understand.",
                "Knowing that time was short changed how I worked.",
            ),
            "de": (
                "Die Uhr machte mich nervös, und ich las nicht mehr richtig.",
                "Als die Minuten knapp wurden, nahm ich Abkürzungen.",
                "Ich fühlte mich gehetzt und übersprang, was ich gern verstanden hätte.",
                "Zu wissen, dass die Zeit knapp ist, änderte meine Arbeitsweise.",
            ),
        },
    ),
    "lost_track": PlantedTheme(
        0.20,
        0.40,
        {
            "en": (
                "At some point I no longer knew why my own program worked.",
                "I could not explain the last version to anybody.",
                "It passed, but I had lost track of what each part did.",
                "I would not be able to write it again without help.",
            ),
            "de": (
                "Irgendwann wusste ich nicht mehr, warum mein eigenes Programm lief.",
                "Die letzte Fassung könnte ich niemandem erklären.",
                "Es bestand die Prüfung, aber ich hatte den Überblick über die Teile verloren.",
                "Noch einmal schreiben könnte ich es ohne Hilfe nicht.",
            ),
        },
    ),
}
_SENTENCES_EACH = 2
"""Of a theme that a person has: one alone shares too few words with other people's for a theme to be found again."""
_OPENINGS: Mapping[str, Sequence[str]] = {
    "en": (
        "First", "To begin with", "At the start", "Looking back", "All in all", "In general", "That day", "As always",
        "For the most part", "To be honest", "Now and then", "After a while",
    ),
    "de": (
        "Zuerst", "Zu Beginn", "Am Anfang", "Rückblickend", "Alles in allem", "Im Allgemeinen", "An diesem Tag",
        "Wie immer", "Größtenteils", "Ehrlich gesagt", "Ab und zu", "Nach einer Weile",
    ),
}  # fmt: skip
_EVERYDAY: Mapping[str, Sequence[str]] = {
    "en": (
        "I read the brief from top to bottom", "I sat in a quiet room", "I had a coffee next to me",
        "the page was easy to use", "the second task felt longer", "it went about as expected",
        "I worked at my desk at home", "I took notes on paper", "the wording was clear to me",
        "I took a short break", "I had slept well", "the light was good", "my screen was large enough",
        "it was warm outside", "I had done something like it before", "I liked the topic",
        "the keyboard was new to me", "music was playing", "a window stood open", "I drank some water",
        "my chair was comfortable", "the connection held", "I was by myself", "there were no calls",
    ),
    "de": (
        "las ich die Aufgabe von oben bis unten", "saß ich in einem stillen Zimmer",
        "hatte ich einen Kaffee neben mir", "war die Seite leicht zu bedienen",
        "kam mir die zweite Aufgabe länger vor", "lief es ungefähr wie erwartet",
        "arbeitete ich am Schreibtisch zu Hause", "machte ich Notizen auf Papier",
        "war mir der Wortlaut klar", "legte ich eine kurze Pause ein", "hatte ich gut geschlafen",
        "war das Licht gut", "war mein Bildschirm groß genug", "war es draußen warm",
        "hatte ich so etwas schon einmal gemacht", "gefiel mir das Thema", "war mir die Tastatur neu",
        "lief Musik", "stand ein Fenster offen", "trank ich etwas Wasser", "war mein Stuhl bequem",
        "hielt die Verbindung", "war ich allein", "gab es keine Anrufe",
    ),
}  # fmt: skip
_SHORT: Mapping[str, Sequence[str]] = {
    "en": ("It was fine.", "Nothing special.", "Hard to say.", "No."),
    "de": ("Es war in Ordnung.", "Nichts Besonderes.", "Schwer zu sagen.", "Nein."),
}
SHORT_ANSWERS = _SHORT["en"]
_MISSING: Mapping[str, Sequence[str]] = {
    "en": ("The part on errors.", "That I liked it."),
    "de": ("Der Teil über Fehler.", "Dass es mir gefiel."),
}


def planted(seed: str, treated: bool) -> frozenset[str]:
    """Return the themes of one person; where the rates are equal, the same in either kind of arm."""
    rng = Random(f"{seed}:themes")
    # One draw for each theme, whatever the kind of arm: a person has a theme in both, or in the one with the higher
    # rate.
    draws = {name: rng.random() for name in THEMES}
    return frozenset(n for n, theme in THEMES.items() if draws[n] < (theme.treated if treated else theme.control))


def words_on(topic: int, topics: int, themes: frozenset[str], language: str, rng: Random) -> str:
    """Return an answer on one topic: the person's themes are spread over the topics, each said once at least.

    Args:
        topic: which one, from 0.
        topics: how many there are.
        themes: of the person.
        language: of the interview; a language without sentences is answered in English.
        rng: the person's.
    """
    known = language if language in _EVERYDAY else "en"
    mine = [name for place, name in enumerate(sorted(themes)) if place % max(topics, 1) == topic]
    said = [_everyday(known, rng)]
    for name in mine:
        said += rng.sample(THEMES[name].sentences[known], _SENTENCES_EACH)
    rng.shuffle(said)
    return " ".join(said)


def _everyday(language: str, rng: Random) -> str:
    """Return a sentence without a theme; there are so many that few answers share one."""
    return f"{rng.choice(_OPENINGS[language])} {rng.choice(_EVERYDAY[language])}."


@dataclass
class Interviewee:
    """One simulated person in an interview."""

    interviews: Interviews
    tab: Tab
    rng: Random
    themes: frozenset[str]

    def talk(self, stage: str) -> Iterator[float]:
        """Answer until the interview is over; yields seconds to wait."""
        while (found := self.interviews.view(self.tab.participant_id)) is not None:
            place, interview = found
            step = place.participant.step
            if interview.question(step) is None:
                yield from fill_in_form(self.tab, stage, step, 20.0, self._rating(interview))
                return
            outcome, words = self._answer(interview, step)
            if outcome != "answered":
                yield from self.tab.play(5.0, [])
                self.tab.flush()
                self.interviews.leave_question(self.tab.participant_id, stage, step, self.tab.page, outcome)
                continue
            seconds = self.rng.uniform(*SECONDS_A_WORD) * len(words.split())
            yield from fill_in_form(self.tab, stage, step, seconds, {turn_field(step + 1): Written(words)})

    def _answer(self, interview: Interview, step: int) -> tuple[Outcome, str]:
        drawn = self.rng.random()
        if drawn < SKIPS + STOPS:
            return ("stopped" if drawn < STOPS else "skipped"), ""
        question = interview.question(step)
        topic = question.asked.topic if question is not None else ""
        topics = [each.id for each in interview.plan.topics if isinstance(each, Topic)]
        core = question is not None and question.asked.action in ("core", "fallback")
        if topic in topics and core and (self._has_more(topics.index(topic), len(topics)) or drawn > SHORT):
            return "answered", words_on(topics.index(topic), len(topics), self.themes, interview.language, self.rng)
        known = interview.language if interview.language in _SHORT else "en"
        short = drawn < 2 * SHORT
        return "answered", self.rng.choice(_SHORT[known]) if short else _everyday(known, self.rng)

    def _has_more(self, topic: int, topics: int) -> bool:
        return any(place % topics == topic for place in range(len(self.themes)))

    def _rating(self, interview: Interview) -> dict[str, Any]:
        if not interview.shows_summary():
            return {}
        known = interview.language if interview.language in _MISSING else "en"
        missing = Written(self.rng.choice(_MISSING[known])) if self.rng.random() < 0.2 else None
        return {RATING: self.rng.choice([2, 3, 3, 4, 4, 4]), MISSING: missing}
