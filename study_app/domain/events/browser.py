"""The kinds of events that a page sends. What they say is the browser's word, and is never believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from study_app.domain.events.changes import Change, utf16_length
from study_app.domain.events.details import EventDetails, MalformedDetails, Sender, Unreadable, described
from study_app.domain.events.words import EditKind

FieldPlace = tuple[str, int]
"""Stage and step."""


@dataclass(frozen=True, kw_only=True)
class PageEvent(EventDetails):
    """What a browser page sends."""

    sender: ClassVar[Sender] = "page"


# -- the text of a task ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TextEvent(PageEvent):
    """An event of the editor's text."""

    task: str | None = described(default=None, holds="id")


@dataclass(frozen=True, kw_only=True)
class TextChange(PageEvent):
    """A change of a text, of a task or in a field."""

    shows_activity: ClassVar[bool] = True

    changes: tuple[Change, ...] = described(
        "`{from, to, insert, deleted}`, in UTF-16 units of the text before, in ascending order"
    )
    how: str = described(levels=get_args(EditKind), key="kind", default="")
    length: int | None = described("of the text after, in UTF-16 units", default=None)
    user_event: str | None = described("the editor's own name for what was done", default=None)
    continued: bool | None = described("a further part of one large edit", default=None)

    def check(self) -> None:
        """Refuse a change that cannot be one of any text."""
        for change in self.changes:
            if not 0 <= change.start <= change.end:
                raise MalformedDetails("a change begins before the text or ends before it begins")


@dataclass(frozen=True, kw_only=True)
class Load(TextEvent):
    """The editor starts with this text."""

    kind: ClassVar[str] = "load"

    text: str = described()
    source: str | None = described(levels=("starter", "saved", "own"), default=None)


@dataclass(frozen=True, kw_only=True)
class Edit(TextChange, TextEvent):
    """The text of a task changes."""

    kind: ClassVar[str] = "edit"

    action_id: str | None = described("of a change that an agent proposed", default=None, holds="id")


@dataclass(frozen=True)
class BrokenText(Unreadable, TextEvent):
    """A stored `load` or `edit` that cannot be one: the text after it is not known."""


@dataclass(frozen=True, kw_only=True)
class EventRefused(TextEvent):
    """The server refused the event of this number; from here to the next `load` the text of `task` is not known."""

    kind: ClassVar[str] = "event_refused"

    refused: str = described("kind of the event that was refused")
    why: str | None = described("what the server answered", default=None)


# -- forms -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class OnForm(PageEvent):
    """An event that can belong to a field of a form."""

    stage: str | None = described(default=None, holds="id")
    step: int = described("page of a quiz, from 0", default=0, along="stage")
    field: str | None = described("question or item", default=None, holds="id")

    @property
    def place(self) -> FieldPlace | None:
        """The form that it belongs to; None where it says none."""
        return None if self.stage is None else (self.stage, self.step)

    @property
    def of_form(self) -> bool:
        """Whether it belongs to a form at all."""
        return self.field is not None


@dataclass(frozen=True, kw_only=True)
class AnswerEvent(OnForm):
    """An event from which the fields of a form follow."""

    stage: str = described(holds="id")

    @property
    def of_form(self) -> bool:
        """It does."""
        return True


@dataclass(frozen=True, kw_only=True)
class AnswersShown(AnswerEvent):
    """From here on this page's events make the form."""

    kind: ClassVar[str] = "answers_shown"


@dataclass(frozen=True, kw_only=True)
class FieldEvent(AnswerEvent):
    """An event that says what stands in a field."""

    field: str = described("question or item", holds="id")


@dataclass(frozen=True, kw_only=True)
class AnswerLoad(FieldEvent):
    """What stands in a field as the page shows it."""

    kind: ClassVar[str] = "answer_load"

    value: Any = described(default=None)


@dataclass(frozen=True, kw_only=True)
class AnswerSet(FieldEvent):
    """A choice is made."""

    kind: ClassVar[str] = "answer_set"
    shows_activity: ClassVar[bool] = True

    value: Any = described(default=None)


@dataclass(frozen=True, kw_only=True)
class AnswerEdit(TextChange, FieldEvent):
    """The text in a field changes, as in `edit`."""

    kind: ClassVar[str] = "answer_edit"


@dataclass(frozen=True, kw_only=True)
class AnswerFocus(OnForm):
    """A field takes the keyboard."""

    kind: ClassVar[str] = "answer_focus"
    shows_activity: ClassVar[bool] = True


# -- copying and pasting -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Clip(OnForm):
    """Text that is copied, cut or pasted."""

    shows_activity: ClassVar[bool] = True

    text: str | None = described("of a long one the beginning", default=None)
    length: int | None = described("in UTF-16 units", default=None)
    origin: str | None = described(
        "where the page has it from",
        levels=("editor", "reply", "brief", "notes", "output", "message", "form", "outside"),
        key="from",
        default=None,
    )
    turn_id: str | None = described("of a reply", default=None, holds="id")
    how: str | None = described(levels=("paste", "drop", "button", "selection", "insert"), default=None)

    @property
    def claimed(self) -> str | None:
        """Where the page says that the text comes from."""
        return self.origin

    @property
    def size(self) -> int:
        """Length of the whole text, in UTF-16 units."""
        return self.length if self.length is not None else utf16_length(self.text or "")


@dataclass(frozen=True, kw_only=True)
class TextCopied(Clip):
    """Text is copied."""

    kind: ClassVar[str] = "copy"


@dataclass(frozen=True, kw_only=True)
class TextCut(Clip):
    """Text is cut."""

    kind: ClassVar[str] = "cut"


@dataclass(frozen=True, kw_only=True)
class PasteAttempt(Clip):
    """Text is pasted or dropped, whether the page lets it in or not."""

    kind: ClassVar[str] = "paste_attempt"

    target: str = described(levels=("editor", "message", "answer"), default="editor")
    matched: str | None = described(
        "how the page knows where it is from", levels=("copy", "content", "nothing"), default=None
    )


@dataclass(frozen=True, kw_only=True)
class CopyReply(Clip):
    """Text of a reply is taken; `insert` is put into the editor by a button."""

    kind: ClassVar[str] = "copy_reply"

    @property
    def claimed(self) -> str | None:
        """A reply, in any case."""
        return self.origin or "reply"


# -- buttons and the message box ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ComposeStart(PageEvent):
    """The first key in the empty message box."""

    kind: ClassVar[str] = "compose_start"
    shows_activity: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class ComposeEnd(PageEvent):
    """The message box is empty again."""

    kind: ClassVar[str] = "compose_end"

    sent: bool | None = described(default=None)


@dataclass(frozen=True, kw_only=True)
class SendPressed(PageEvent):
    """A message is sent."""

    kind: ClassVar[str] = "send_pressed"
    shows_activity: ClassVar[bool] = True

    again: Any = described("a message whose reply failed is sent once more", default=None)


@dataclass(frozen=True, kw_only=True)
class AgentAnswered(PageEvent):
    """The participant decides on a step of an agent, or answers its question; a change is approved by its `edit`."""

    kind: ClassVar[str] = "agent_answered"
    shows_activity: ClassVar[bool] = True

    action_id: str = described(holds="id")
    decision: str = described(levels=("approve", "reject", "answered"))
    words: str | None = described("why it is rejected, or the answer", default=None)


@dataclass(frozen=True, kw_only=True)
class AgentSwitched(PageEvent):
    """The participant switches whether the agent goes on without asking."""

    kind: ClassVar[str] = "agent_switched"
    shows_activity: ClassVar[bool] = True

    without_asking: bool = described()


@dataclass(frozen=True, kw_only=True)
class StopPressed(PageEvent):
    """A reply or a program is stopped."""

    kind: ClassVar[str] = "stop_pressed"
    shows_activity: ClassVar[bool] = True

    turn_id: str | None = described("of a reply", default=None, holds="id")


@dataclass(frozen=True, kw_only=True)
class RunPressed(PageEvent):
    """The program is to be run."""

    kind: ClassVar[str] = "run_pressed"
    shows_activity: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class SubmitPressed(PageEvent):
    """A program or a form is handed in."""

    kind: ClassVar[str] = "submit_pressed"
    shows_activity: ClassVar[bool] = True

    confirm: bool | None = described("of a program: a warning was answered", default=None)
    stage: str | None = described("of a form", default=None, holds="id")
    step: int | None = described("of a form", default=None)


# -- the page itself ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Focus(PageEvent):
    """The window takes the keyboard."""

    kind: ClassVar[str] = "focus"
    shows_activity: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Blur(PageEvent):
    """The window loses the keyboard."""

    kind: ClassVar[str] = "blur"


@dataclass(frozen=True, kw_only=True)
class Visible(PageEvent):
    """The page comes into view."""

    kind: ClassVar[str] = "visible"


@dataclass(frozen=True, kw_only=True)
class Hidden(PageEvent):
    """The page goes out of view."""

    kind: ClassVar[str] = "hidden"


@dataclass(frozen=True, kw_only=True)
class Online(PageEvent):
    """The browser has a connection."""

    kind: ClassVar[str] = "online"


@dataclass(frozen=True, kw_only=True)
class Offline(PageEvent):
    """The browser has no connection."""

    kind: ClassVar[str] = "offline"


@dataclass(frozen=True, kw_only=True)
class EditorFocus(PageEvent):
    """The editor takes the keyboard."""

    kind: ClassVar[str] = "editor_focus"
    shows_activity: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class EditorBlur(PageEvent):
    """The editor loses the keyboard."""

    kind: ClassVar[str] = "editor_blur"


@dataclass(frozen=True, kw_only=True)
class Heartbeat(PageEvent):
    """Every 10 s while the page is visible."""

    kind: ClassVar[str] = "heartbeat"

    focused: bool | None = described(default=None)


@dataclass(frozen=True, kw_only=True)
class Resize(PageEvent):
    """The size of the window."""

    kind: ClassVar[str] = "resize"

    width: float | None = described("in CSS pixels", key="w", default=None)
    height: float | None = described("in CSS pixels", key="h", default=None)


@dataclass(frozen=True, kw_only=True)
class PanesResized(PageEvent):
    """The participant moved the edge of a pane."""

    kind: ClassVar[str] = "panes_resized"

    brief: float | None = described("width of the left pane", default=None)
    side: float | None = described("width of the right pane", default=None)
    output: float | None = described("height of the lower pane", default=None)


@dataclass(frozen=True, kw_only=True)
class NotesOpened(PageEvent):
    """A page of the notes on the library is opened."""

    kind: ClassVar[str] = "notes_opened"
    shows_activity: ClassVar[bool] = True

    title: str | None = described(default=None)


@dataclass(frozen=True, kw_only=True)
class BriefScrolled(PageEvent):
    """The brief of the task is scrolled."""

    kind: ClassVar[str] = "brief_scrolled"
    shows_activity: ClassVar[bool] = True

    top: float | None = described("in CSS pixels", default=None)
    of: float | None = described("the farthest that it scrolls", default=None)


@dataclass(frozen=True, kw_only=True)
class StorageFull(PageEvent):
    """The browser could not keep its own copy of the log."""

    kind: ClassVar[str] = "storage_full"
