"""The explain-first gate: an assistant gives code on a task only after the participant has explained their idea of it.

Every message on a task is judged until one explains the idea; from then on the gate of that task is open. Rules judge
where no model does. They read words, not truth: whether the idea is right does not matter, only whether there is one.

- Sentences that ask or request are left out, so are code blocks and what is copied from the brief or earlier replies.
- What is left has at least `LEAST_WORDS` words, and names at least `LEAST_TERMS` words of the task.
- It says what happens in which order or why (`_STEPS`), in the languages for which these words are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from study_app.domain.events.words import Verdict

VERSION = "gate-1"
EXPLAINED: Literal["explained"] = "explained"
NOT_EXPLAINED: Literal["not_explained"] = "not_explained"
OPEN: Literal["open"] = "open"
Reason = Literal["explained", "only_asks", "copied", "too_short", "off_task", "no_steps", "model"]

LEAST_WORDS = 15
LEAST_TERMS = 2
_RUN = 4
"""Words in a row that count as copied."""
_TERM = 5
"""Letters of a term; as many, from its beginning, are compared, so that endings do not matter."""

_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_SENTENCE = re.compile(r"[^.!?\n;]+[.!?;]*")
_WORD = re.compile(r"[^\W\d_][\w'\u2019]*")
_ASKS = re.compile(
    r"^\W*(?:(?:hi|hello|hey|hallo|hola|bonjour|salut|ok|okay|so|and|und|y|et|now|jetzt|then|dann|please|bitte|"
    r"por favor|s'il (?:te|vous) pla[iî]t)\W+)*"
    r"(?:give|write|show|send|make|generate|create|implement|solve|complete|finish|fix|help|tell|can|could|would|will|"
    r"what|how|why|where|which|when|is|are|do|does|i (?:need|want|would like)|"
    r"gib|gebt|geben|schreib|schreibe|schreiben|zeig|zeige|zeigen|mach|mache|machen|erstell|erstelle|löse|hilf|sag|"
    r"kannst|können|könntest|könnten|würdest|was|wie|warum|wo|welche\w*|wann|ich (?:brauche|will|möchte|hätte gern)|"
    r"da|dame|deme|escribe|escriba|muestra|muéstrame|haz|hazme|genera|crea|resuelve|ayuda|ayúdame|dime|puedes|puede|"
    r"podrías|qué|cómo|por qué|dónde|cuál|cuándo|necesito|quiero|"
    r"donne\w*|écris|écrivez|montre\w*|fais|faites|génère|crée|résous|aide\w*|dis|peux|pouvez|pourrais|pourriez|"
    r"que|qu'est-ce|comment|pourquoi|où|quel\w*|quand|j'ai besoin|je veux|je voudrais)\b",
    re.IGNORECASE,
)
_STEPS: Mapping[str, frozenset[str]] = {
    "en": frozenset("first then after afterwards next finally before because so since therefore while each".split())
    | frozenset("every until when would use using if thus once".split()),
    "de": frozenset("zuerst erst dann danach anschließend schließlich bevor weil da damit denn deshalb während".split())
    | frozenset("jede jeden jedes jeder bis wenn sobald würde benutze verwende nutze also".split()),
    "es": frozenset("primero luego después entonces finalmente antes porque pues ya que mientras cada hasta".split())
    | frozenset("cuando usaría uso usar así si".split()),
    "fr": frozenset("abord puis ensuite enfin avant après parce car donc pendant chaque jusqu quand lorsque".split())
    | frozenset("utiliserais utilise utiliser ainsi si".split()),
}


@dataclass(frozen=True)
class Judged:
    """One verdict, and who gave it why."""

    verdict: Verdict
    by: Literal["rules", "claude", ""]
    reason: str
    """A `Reason` of the rules; of a model its own sentence."""
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def withholds(self) -> bool:
        """Whether the reply to the message may hold no code."""
        return self.verdict == NOT_EXPLAINED


def judged_by_rules(message: str, task: str, replies: Iterable[str] = (), language: str = "en") -> Judged:
    """Return the verdict on one message.

    Args:
        message: the participant's.
        task: brief and starter, from which the task's terms come.
        replies: earlier replies of the assistant; what repeats them does not count.
        language: the participant's.
    """
    reason = _reason(message, task, replies, language)
    return Judged(EXPLAINED if reason == "explained" else NOT_EXPLAINED, "rules", reason)


def _reason(message: str, task: str, replies: Iterable[str], language: str) -> Reason:
    said = _FENCED.sub(" ", message)
    # Questions and requests explain nothing, however long they are: only what is stated counts.
    statements = [s for s in _SENTENCE.findall(said) if not s.rstrip().endswith("?") and not _ASKS.match(s)]
    words = [word.casefold() for sentence in statements for word in _WORD.findall(sentence)]
    if not words:
        return "only_asks" if _WORD.search(said) else "too_short"
    own = _own(words, [task, *replies])
    if len(own) < LEAST_WORDS:
        return "copied" if len(words) >= LEAST_WORDS else "too_short"
    terms = {word[:_TERM] for word in _words(task) if len(word) >= _TERM}
    if len({word[:_TERM] for word in own if len(word) >= _TERM} & terms) < LEAST_TERMS:
        return "off_task"
    steps = _STEPS.get(language.split("-")[0])
    return "explained" if steps is None or steps & set(own) else "no_steps"


def _own(words: list[str], others: list[str]) -> list[str]:
    """Return the words that are in no run of words which another text has, too."""
    taken = {run for text in others for run in _runs(_words(text))}
    copied = {at + n for at, run in enumerate(_runs(words)) if run in taken for n in range(_RUN)}
    return [word for at, word in enumerate(words) if at not in copied]


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]
