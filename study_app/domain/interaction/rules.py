"""The offline coder: readable rules that say which of them fired and on which words.

It reads the participant's message and the labels it gave to the message before; never the reply, the arm, the
outcome or an annotator's note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from study_app.domain.interaction.codebook import LABELS
from study_app.domain.interaction.lexicon import RULES, VERSION, CodingRule
from study_app.domain.interaction.message import SessionMessage

__all__ = ["READS", "VERSION", "Fired", "MessageCoding", "code_message", "code_session"]

READS = "en"
"""The language in which the rules are written; they say nothing of queries in another."""

PLAIN_QUESTIONS = ("how", "inversion", "question-mark", "check", "search-phrase", "unsure")
"""Forms of asking that say nothing by themselves where a failure is reported: the failure is what is asked about."""

_CONTINUES = re.compile(
    r"^(?:(?:and|now|next|then|same|again|continue|go on|go ahead|keep going|do it|yes|sure|ok)\b|task ?\d|\w+_\w+\W*$)"
)
_INTERJECTION = re.compile(r"^(?!(?:hi|hey|hello|yo|hiya)\b)(?:\w+ ){0,2}\w+\s*!+$")
_PRAISE = re.compile(
    r"^(?:(?:ok|oh|wow|very),? )?(?:nice|great|cool|awesome|perfect|excellent|amazing|brilliant|wonderful|sweet)\W*$"
)
_BRIEF = 6
"""Words up to which a message can be a mere continuation."""
_NAMED_THING = re.compile(r"^[a-z][\w.]*(?:\w[._]\w|\(\))[\w.()]*(?: [\w.'-]+){0,4}\W*$")
"""A name of the library, alone or with a few words, as typed into a search engine."""


@dataclass(frozen=True)
class Fired:
    """One rule that fired."""

    rule: str
    label: str
    words: str
    """The words it fired on."""


@dataclass(frozen=True)
class MessageCoding:
    """A message's labels in the code book's order, and the rules behind them."""

    labels: tuple[str, ...]
    fired: tuple[Fired, ...]


def code_session(messages: Sequence[str], rules: Sequence[CodingRule] = RULES) -> list[MessageCoding]:
    """Code one participant's messages in the order they were sent."""
    done: list[MessageCoding] = []
    for text in messages:
        done.append(code_message(SessionMessage(text, done[-1].labels if done else ()), rules))
    return done


def code_message(message: SessionMessage, rules: Sequence[CodingRule] = RULES) -> MessageCoding:
    """Labels of one message.

    Sentence rules first; a failure silences plain questions; without any label the message as a whole decides. A
    message in which nothing matches has no label.
    """
    fired = [found for sentence in message.sentences for found in _sentence(sentence, rules)]
    if message.has_traceback:
        fired.append(Fired("traceback", "debugging", "traceback"))
    if any(found.label == "debugging" for found in fired):
        fired = [found for found in fired if found.rule not in PLAIN_QUESTIONS]
    if not any(found.label for found in fired):
        fired += _whole(message)
    labels = {found.label for found in fired}
    return MessageCoding(tuple(label for label in LABELS if label in labels), tuple(fired))


def _sentence(sentence: str, rules: Sequence[CodingRule]) -> list[Fired]:
    fired: dict[str, Fired] = {}
    for rule in rules:
        found = rule.pattern.search(sentence)
        if found and not any(other in fired for other in rule.yields_to):
            fired[rule.id] = Fired(rule.id, rule.label, found.group(0).strip()[:80])
    return list(fired.values())


def _whole(message: SessionMessage) -> list[Fired]:
    """Return what a message without any telling sentence is: the first of these that holds."""
    shown = message.clean[:80]
    if message.has_specification:
        return [Fired("specification", "generation", shown)]
    brief = message.words <= _BRIEF
    if _PRAISE.match(message.clean):
        return [Fired("praise", "appreciation", shown)]
    if brief and "generation" in message.previous and (message.bare or _CONTINUES.match(message.clean)):
        return [Fired("continuation", "generation", shown)]
    if 1 < message.words <= _BRIEF and "explanation" in message.previous and _CONTINUES.match(message.clean):
        return [Fired("continuation", "explanation", shown)]
    if _INTERJECTION.match(message.clean):
        return [Fired("interjection", "appreciation", shown)]
    if brief and _NAMED_THING.search(message.clean):
        return [Fired("bare-name", "explanation", shown)]
    return []
