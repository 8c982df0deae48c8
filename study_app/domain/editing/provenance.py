"""Where the text of a program came from, character by character.

The log of edits is replayed beside what was copied and pasted. Each stretch of text carries an origin from the moment
it is inserted; moving, cutting and pasting within the editor, undo, redo and a reload of the page keep it. At the end,
typed lines that reproduce a reply of the assistant are distinguished from the participant's own.

Positions count UTF-16 code units, as in `domain.edits`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from study_app.domain.editing.agent_cards import AgentCards
from study_app.domain.editing.attribution import (
    SOURCES,
    Attribution,
    Origin,
    Piece,
    Pieces,
    Source,
    Span,
    TrackedText,
    aligned,
    cut,
    is_bmp,
    merged,
    most_of,
    relabelled,
    rewritten,
    size,
    spanned,
    spliced,
    spliced_pieces,
    typed_lines,
    whole,
)
from study_app.domain.editing.clipboard import SEEN_KINDS, Pasteboard, squeeze
from study_app.domain.editing.retyped import DEFAULT_RULE, Reply, RetypeRule, retyped_lines
from study_app.domain.events.browser import (
    BrokenText,
    Clip,
    CopyReply,
    Edit,
    EventRefused,
    Load,
    PasteAttempt,
    TextCopied,
    TextCut,
)
from study_app.domain.events.changes import ReplayMismatch, utf16_length
from study_app.domain.events.details import EventDetails
from study_app.domain.events.server import AgentProposed, TurnStarted

__all__ = ["SOURCES", "Attribution", "Origin", "Reply", "RetypeRule", "Source", "Span", "Tracker", "attribute"]


_FROM: Mapping[str, Source] = {"reply": "assistant", "brief": "brief", "notes": "notes", "output": "notes"}
"""What a page says of a paste -> source; the program's output counts with the notes. `message`: typed by them."""
_BRINGS = frozenset({"paste", "drop"})
"""Kinds of edits that can bring more of a reply into the program than it ever held."""
FOLLOWED = SEEN_KINDS | {each.kind for each in (Load, Edit, EventRefused, CopyReply, AgentProposed, TurnStarted)}
"""Kinds of events that a tracker learns from; others may be left out."""
_TELLING = 12
"""Shorter text says nothing by its content alone."""
_REMEMBERED = 60
_HASHED_UP_TO = 200_000
"""Longer texts are not remembered state by state; an undo there is attributed by the text it brings back."""


@dataclass
class _Clip:
    """Something copied, cut or about to be pasted."""

    text: str
    """Squeezed."""
    pieces: Pieces | None = None
    """Of text from the editor: the origins of its parts."""
    origin: Origin | None = None
    guessed: bool = False
    """The page did not see it being copied, and went by its words."""
    truncated: bool = False
    """The page sent the beginning only."""

    def gives(self, wanted: str) -> bool:
        """Return whether an insertion of this text may be (a part of) this paste."""
        return wanted in self.text or (self.truncated and bool(self.text) and wanted.startswith(self.text))


@dataclass
class Tracker:
    """Follows one task through all its pages; feed it the participant's events in the order of storing."""

    task: str
    starter: str
    replies: Sequence[Reply] = ()
    """Replies in the order of asking; `turn_started` events say when each was asked."""
    brief: str = ""
    notes: str = ""
    rule: RetypeRule = DEFAULT_RULE
    _documents: dict[str, TrackedText] = field(default_factory=dict)
    _states: dict[int, Pieces] = field(default_factory=dict)
    _clips: deque[_Clip] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _attempts: deque[_Clip] = field(default_factory=lambda: deque(maxlen=8))
    _deleted: deque[tuple[str, Pieces]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _most: Counter[str] = field(default_factory=Counter)
    _cards: AgentCards = field(default_factory=AgentCards)
    _tried: int = 0
    """Pastes and drops so far."""
    _pasteboard: Pasteboard = field(default_factory=Pasteboard)
    _known: int = 0
    _latest: str | None = None
    _lost: dict[str, str] = field(default_factory=dict)
    """Page with an event that did not fit, up to its next whole text -> what was wrong."""
    gap: str = ""
    """Why the newest text is not known: what the log lacks since the last whole text; empty where it is known."""
    _continued: Origin | None = None

    def feed(self, page: str, details: EventDetails) -> None:
        """Take the next event; after one that does not fit, the text of its page is unknown up to the next load."""
        try:
            self._take(page, details)
        except ReplayMismatch as error:
            self.gap = self._lost[page] = str(error)

    def _take(self, page: str, details: EventDetails) -> None:
        self._pasteboard.feed(details)
        match details:
            case TurnStarted():
                self._known += 1
            case AgentProposed() as said:
                self._cards.see(said, self._tried)
            case TextCopied() | TextCut() | CopyReply():
                self._copied(page, details)
            case PasteAttempt(target="editor"):
                self._pasting(details)
            case Load(task=self.task):
                self._load(page, details.text)
            case Edit(task=self.task):
                self._edit(page, details)
            case BrokenText(task=self.task):
                raise ReplayMismatch(details.problem)
            case EventRefused(task=self.task, refused=refused):
                raise ReplayMismatch(f"the server refused the {refused} that stood here")

    def attribution(self, code: str | None = None) -> Attribution:
        """Return where a text came from: the newest page's, or a given one, such as what was submitted.

        Raises:
            ReplayMismatch: an edit of the newest text does not fit; the log has a gap or was altered.
        """
        if self.gap:
            raise ReplayMismatch(self.gap)
        document = self._documents.get(self._latest or "")
        if code is None:
            code = document.text if document is not None else self.starter
        return spanned(code, self._with_retyped(code, self._pieces_of(code, document)))

    def pasted(self) -> Mapping[str, int]:
        """Turn -> most characters pasted from its reply that the program held at any one time."""
        return self._most

    # -- what was copied -----------------------------------------------------------------------------------------------

    def _pasting(self, clip: PasteAttempt) -> None:
        text = clip.text or ""
        self._tried += 1
        longer = clip.length is not None and clip.length > len(text)
        guessed = clip.matched == "content"
        self._attempts.appendleft(_Clip(squeeze(text), None, self._claimed(clip), guessed, longer))

    def _claimed(self, clip: Clip) -> Origin | None:
        """Return the origin that the page names; None where it says the editor, whose text has its own origins."""
        claimed = clip.claimed
        if claimed == "editor":
            return None
        source = _FROM.get(str(claimed), "outside")
        if source == "outside":
            if claimed == "message" and not self._pasteboard.is_foreign(clip):
                # The box in which a proposal is edited holds the agent's text at first.
                return self._of_agent(clip.text or "") or Origin("typed", known=self._known)
            return self._by_content(clip.text or "") or Origin("outside", known=self._known)
        return Origin(source, clip.turn_id, self._known)

    def _copied(self, page: str, clip: Clip) -> None:
        text = clip.text or ""
        if clip.claimed == "editor":
            self._clips.appendleft(_Clip(squeeze(text), self._found_in(page, text), None))
        else:
            self._clips.appendleft(_Clip(squeeze(text), None, self._claimed(clip)))

    def _found_in(self, page: str, text: str) -> Pieces | None:
        document = self._documents.get(page)
        if page in self._lost:
            return whole(text, Origin("unknown"))
        if document is None or not text:
            return None
        if text in document.text:
            return _part(document, text)
        # Several selections are copied as one text, each on lines to itself.
        lines = text.splitlines(keepends=True)
        if not all(line.rstrip("\n") in document.text for line in lines):
            return None
        found: list[Piece] = []
        for line in lines:
            pieces = _part(document, line.rstrip("\n"))
            end = pieces[-1].origin if pieces else found[-1].origin if found else Origin("unknown")
            found += [*pieces, *whole("\n" * line.endswith("\n"), end)]
        return merged(found)

    def _by_content(self, text: str) -> Origin | None:
        wanted = squeeze(text)
        if len(wanted) < _TELLING:
            return None
        # Only replies that had been asked for by then: no text comes from a later one.
        for reply in reversed(self.replies[: self._known]):
            if wanted in squeeze(reply.text):
                return Origin("assistant", reply.turn_id, self._known)
        if shown := self._of_agent(text):
            return shown
        sources: tuple[tuple[Source, str], ...] = (("brief", self.brief), ("notes", self.notes))
        for source, content in sources:
            if wanted in squeeze(content):
                return Origin(source, known=self._known)
        return None

    def _of_agent(self, text: str) -> Origin | None:
        """Return the origin of what an agent's card showed; pasted, it is from the assistant as from a reply."""
        wanted = squeeze(text)
        if len(wanted) < _TELLING:
            return None
        turn_id = self._cards.turn_that_showed(wanted)
        return None if turn_id is None else Origin("assistant", turn_id, self._known)

    # -- loading and editing -------------------------------------------------------------------------------------------

    def _load(self, page: str, text: str) -> None:
        before = self._documents.get(self._latest or "")
        self._lost.pop(page, None)
        self._remember(page, TrackedText(text, self._pieces_of(text, before), is_bmp(text)))

    def _pieces_of(self, text: str, before: TrackedText | None) -> Pieces:
        """Origins of a text that was not made by edits seen here."""
        if len(text) <= _HASHED_UP_TO and hash(text) in self._states:
            return self._states[hash(text)]
        if before is not None and before.text == text:
            return before.pieces
        if text == self.starter:
            return whole(text, Origin("starter"))
        basis = before or TrackedText(self.starter, whole(self.starter, Origin("starter")), is_bmp(self.starter))
        return aligned(text, basis)

    def _edit(self, page: str, edit: Edit) -> None:
        document = self._documents.get(page)
        if page in self._lost:
            raise ReplayMismatch(self._lost[page])
        if document is None:
            raise ReplayMismatch("an edit before the text was loaded")
        changes, kind = edit.changes, edit.how
        text, bmp = spliced(document, changes, edit.length)
        # Undo and redo bring back an earlier state as a whole, and its origins with it. Looked up by hash, for the
        # texts of all states together would be large.
        pieces = self._states.get(hash(text)) if kind in ("undo", "redo") and len(text) <= _HASHED_UP_TO else None
        deleted = [
            (document.between(change.start, change.end), cut(document.pieces, change.start, change.end))
            for change in changes
        ]
        if pieces is None and text == self.starter:
            # Back to the starter by its button: it was not typed.
            pieces = whole(text, Origin("starter"))
        if pieces is None:
            inserted = [
                self._written_by_agent(edit, change.insert, replaced) or self._inserted(edit, change.insert, deleted)
                for change, replaced in zip(changes, deleted, strict=True)
            ]
            pieces = spliced_pieces(document.pieces, changes, inserted)
        self._deleted.extendleft((old, parts) for old, parts in deleted if old)
        if kind == "cut":
            self._clips.extendleft(_Clip(squeeze(old), parts) for old, parts in deleted if old)
        self._remember(page, TrackedText(text, pieces, bmp))
        if kind in _BRINGS and any(change.insert for change in changes):
            # The union of two counters keeps the larger count: the most that was there at one time, not the sum of all
            # pastes.
            self._most |= spanned(text, pieces).of_turns("assistant")

    def _written_by_agent(self, edit: Edit, insert: str, replaced: tuple[str, Pieces]) -> Pieces:
        """Return the origins of a change by an agent; none where the log knows of no such proposal.

        Lines that were there keep their origin. Where the participant changed the proposal first, its lines are the
        agent's and the others typed.
        """
        proposed = self._cards.proposals.get(edit.action_id or "")
        if proposed is None or edit.how != "agent" or not insert:
            return ()
        new, (old, pieces) = proposed.new, replaced
        by_agent = Origin("agent", proposed.turn_id, self._known)
        as_proposed = rewritten(new, TrackedText(old, pieces, is_bmp(old)), by_agent)
        if insert == new:
            return as_proposed
        edited = rewritten(insert, TrackedText(new, as_proposed, is_bmp(new)), Origin("typed", known=self._known))
        pasted = list(self._attempts)[: self._tried - proposed.tried]
        return self._with_pasted(insert, edited, pasted) if pasted else edited

    def _with_pasted(self, insert: str, pieces: Pieces, pasted: Sequence[_Clip]) -> Pieces:
        """Return the origins of an edited proposal, its new lines with those of what was pasted into its box."""
        found: list[Piece] = []
        at = 0
        for line in insert.splitlines(keepends=True):
            mine = cut(pieces, at, at + utf16_length(line))
            at += utf16_length(line)
            by_hand = bool(mine) and all(piece.origin.source == "typed" for piece in mine)
            wanted = squeeze(line)
            attempt = next((each for each in pasted if wanted and each.gives(wanted)), None) if by_hand else None
            found += mine if attempt is None else whole(line, self._taken_from(attempt))
        return merged(found)

    def _taken_from(self, attempt: _Clip) -> Origin:
        """Return the one origin of a paste."""
        own = next((clip for clip in self._clips if clip.text == attempt.text), None)
        foreign = attempt.origin is None or attempt.origin.source == "outside"
        if foreign and own is not None and (own.pieces or own.origin):
            return most_of(own.pieces) if own.pieces else own.origin or Origin("unknown")
        return attempt.origin or self._by_content(attempt.text) or Origin("unknown")

    def _inserted(self, edit: Edit, insert: str, deleted: Sequence[tuple[str, Pieces]]) -> Pieces:
        kind = edit.how
        if not insert:
            return ()
        if kind in ("undo", "redo"):
            brought_back = next((parts for old, parts in self._deleted if old == insert), None)
            return brought_back or whole(insert, Origin("typed", known=self._known))
        if kind == "drop":
            moved = next((parts for old, parts in deleted if old == insert), None)
            if moved:
                return moved
        if kind in ("paste", "drop"):
            return self._pasted(insert, bool(edit.continued))
        return whole(insert, Origin("typed", known=self._known))

    def _pasted(self, insert: str, continued: bool) -> Pieces:
        if continued and self._continued is not None:
            return whole(insert, self._continued)
        wanted = squeeze(insert)
        # An exact match first: a long paste contains many a short text, and would claim it.
        exact = [each for each in self._attempts if each.text == wanted]
        attempt = next(iter([*exact, *(each for each in self._attempts if each.gives(wanted))]), None)
        origin = attempt.origin if attempt is not None else None
        if origin is None or origin.source == "outside" or (attempt is not None and attempt.guessed):
            # A page that was loaded after the copying does not know it; the log does.
            own = next((clip for clip in self._clips if clip.text == wanted), None)
            if own is not None and own.pieces is not None and size(own.pieces) == utf16_length(insert):
                return own.pieces
            if own is not None or (origin is None and attempt is not None):
                # From the editor, but from another task or by a page that is gone.
                origin = own.origin if own is not None else None
                # The pieces do not fit where white space has changed on the way.
                origin = origin or (most_of(own.pieces) if own is not None and own.pieces else None)
                origin = origin or self._by_content(insert)
                origin = origin or Origin("typed", known=self._known)
        self._continued = origin or self._by_content(insert) or Origin("outside", known=self._known)
        return whole(insert, self._continued)

    def _remember(self, page: str, document: TrackedText) -> None:
        self._documents[page] = document
        self._latest = page
        self.gap = ""
        if len(document.text) <= _HASHED_UP_TO:
            self._states[hash(document.text)] = document.pieces

    # -- retyped -------------------------------------------------------------------------------------------------------

    def _with_retyped(self, code: str, pieces: Pieces) -> Pieces:
        if not self.replies or not any(piece.origin.source == "typed" and piece.origin.known for piece in pieces):
            return pieces
        lines = typed_lines(code, pieces)
        own = "\n".join((self.starter, self.brief, self.notes))
        for line, turn_id in retyped_lines(lines, self._cards.beside(self.replies), own, self.rule).items():
            at = lines[line]
            pieces = relabelled(pieces, at.start, at.end, turn_id)
        return pieces


def _part(document: TrackedText, text: str) -> Pieces:
    """Return the origins of a text where a document holds it first."""
    start = utf16_length(document.text[: document.text.index(text)])
    return cut(document.pieces, start, start + utf16_length(text))


def attribute(
    events: Iterable[tuple[str, EventDetails]],
    code: str,
    *,
    task: str,
    starter: str,
    replies: Sequence[Reply] = (),
    brief: str = "",
    notes: str = "",
    rule: RetypeRule = DEFAULT_RULE,
) -> Attribution:
    """Return where every character of a final program came from.

    Args:
        events: page and details of all the participant's events, in the order of storing.
        code: the program, as submitted.
        task: whose edits count.
        starter: the text that the task began with.
        replies: the participant's turns on any task, in the order of asking.
        brief: the task's text as participants read it.
        notes: the notes on the library.
        rule: what counts as retyped.

    Raises:
        ReplayMismatch: the log has a gap or was altered.
    """
    tracker = Tracker(task, starter, replies, brief, notes, rule)
    for page, details in events:
        tracker.feed(page, details)
    return tracker.attribution(code)
