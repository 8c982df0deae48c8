"""Sentences that code makes and participants read: one English template each, read back to be said in other languages.

Verdicts and refusals are stored and logged in English, so that a dataset and a log are in one language. A page says
them in the participant's language: what was filled in is read back from the English sentence by its template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cached_property

FIGURES = frozenset({"limit", "seconds", "date"})
"""Placeholders for numbers and moments that code fills in, and never a program or a person."""


class Sentences:
    """Templates by key.

    Args:
        table: the table of a language's texts that translates them.
        english: key -> template with placeholders in braces.
        nested: placeholders whose value can be a complete sentence.
    """

    def __init__(self, table: str, english: Mapping[str, str], nested: Collection[str] = ()) -> None:
        self.table = table
        self.english = dict(english)
        self.nested = frozenset(nested)

    def __call__(self, key: str, **values: object) -> str:
        """Return a sentence in English, filled in."""
        return self.english[key].format(**values)

    def texts(self) -> dict[str, str]:
        """Return the English templates by their dotted key in the texts."""
        return {f"{self.table}.{key}": text for key, text in self.english.items()}

    @cached_property
    def _patterns(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        # Those with more fixed words first: a short one with a placeholder at its end would take theirs in.
        ordered = sorted(self.english.items(), key=lambda one: -len(re.sub(r"\{\w+\}", "", one[1])))
        return tuple((key, _pattern(text)) for key, text in ordered)

    def translated(self, text: str, texts: Mapping[str, str], figures: Callable[[str], str] = str) -> str | None:
        """Return a sentence that was made here, in another language; None for any other text (an author's, Python's).

        Args:
            text: in English.
            texts: the table of the language.
            figures: says a number or a moment as that language writes it; without it they stay as they are.
        """
        for key, pattern in self._patterns:
            found = pattern.fullmatch(text)
            if found is None:
                continue
            written = texts[key]
            for name, value in found.groupdict().items():
                inner = self.translated(value, texts, figures) if name in self.nested else None
                said = figures(value) if name in FIGURES else value
                written = written.replace("{" + name + "}", said if inner is None else inner)
            return written
        return None


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", text)
    made = "".join(re.escape(part) if at % 2 == 0 else f"(?P<{part}>.+?)" for at, part in enumerate(parts))
    return re.compile(made, re.DOTALL)


def ended(text: str) -> str:
    """Return a text that someone wrote as a sentence with its end, once."""
    text = text.strip()
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


REFUSALS = Sentences(
    "refusal",
    {
        "team": "the research team",
        "no_exit": "this study has no button for that; submit the task instead",
        "reason": "say in 1 to {most} characters why it cannot be done",
        "field": "the field {name} of this address is not valid; open the address exactly as you received it",
        "id": "the field {name} of this address cannot be right: {problem}; open the study with the button or link "
        "that you were given, or contact {contact}",
        "placeholder": "it is a placeholder that was not filled in",
        "unseen": "it contains an invisible character",
        "space": "it contains white space",
        "begins": "it begins with '{sign}'",
        "address": "it is an address",
        "not_plain": "it contains other characters than letters and digits",
        "moved": "this link is no longer valid; open the study on your first device again, where it shows a new one, "
        "or contact {contact}",
        "taken": "this browser is already taking part in the study; if that is you, continue there, and if you are "
        "another person, open your own invitation in a private window or in another browser",
        "shared_computer": "someone has already taken part in this study in this browser; if several people share this "
        "computer, open your own invitation in a private window",
        "used": "this invitation has already been used in another browser or session; open the link that you started "
        "with, or contact {contact}",
        "closed": "this study no longer accepts new participants; thank you for your interest",
        "recruitment_paused": "this study takes a short break and lets no new participants in at the moment; please "
        "come back later with the same link",
        "full": "this study already has all the participants it needs; thank you for your interest",
        "full_code": "this study already has all the participants it needs; thank you for your interest (completion "
        "code: {code})",
        "links_only": "this study can only be entered with a personal link; open the one you were sent",
        "panel_only": "this study can only be entered from Prolific; open it there",
        "no_link": "this link does not exist; check that it is complete, or ask for a new one",
        "part_early": "this part opens on {date}; come back then",
        "part_unknown": "this part is for people who took part in the first one; if you did, contact {contact}",
        "part_before": "finish the part before this one first, in the browser in which you began it, or contact "
        "{contact}",
        "again": "go back to Prolific and open the study there again",
        "unsigned": "this address lacks Prolific's signature; {again}",
        "expired": "this address is no longer valid, for it was opened some time ago; {again}",
        "other_site": "this address was made for another study's site; {again}",
        "other_signature": "this address is not signed as Prolific signs; {again}",
        "signature_short": "Prolific's signature does not say for how long or whom; {again}",
        "signature_wrong": "Prolific's signature on this address is not right; {again}",
        "signature_nameless": "Prolific's signature on this address does not name who comes; {again}",
        "no_cookie": "you are not signed in to this study; open your invitation link again",
        "signed_out": "this browser is no longer signed in to the study; open your invitation link again",
        "not_open": "this part is not open yet",
        "paused": "the study is paused for you at the moment; your work has been kept, and you can go on soon",
        "other_window": "the study was continued in another window",
        "no_task": "no task is open at the moment",
        "submitted": "this task has already been submitted",
        "being_submitted": "your program is being checked already; please wait a moment",
        "no_assistant": "there is no assistant in this part of the study",
        "assistant_closed": "the assistant is not available at the moment",
        "step_unknown": "this step of the assistant is not open here",
        "step_decided": "this step of the assistant was already decided, or your program has changed meanwhile",
        "program_long": "Your program is longer than {kb} kB. Please shorten it and try again.",
        "message_empty": "Your message is empty.",
        "message_long": "Your message is longer than {limit} characters. Please shorten it.",
        "too_long": "This is too long to send (more than {limit} bytes). Please shorten it and try again.",
        "other_origin": "this request comes from another site",
        "no_address": "there is no such address",
        "unavailable": "The server cannot do this at the moment. Your work has been kept; please try again shortly.",
        "failed": "Something went wrong on our side. Your work has been kept; please try again shortly.",
        "other": "This could not be done. Please reload the page; if the problem remains, contact the research team.",
    },
    nested=("problem", "contact", "again"),
)
"""Why a participant cannot come in, or something cannot be done now."""
