"""What the page components are given, and what they say: the types on both sides of Streamlit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class PrintedLine(TypedDict):
    """One line that a program printed."""

    stream: Literal["stdout", "stderr"]
    text: str


class RunEnd(TypedDict):
    """How a run ended; the same keys as the `end` line of the run route."""

    run_id: NotRequired[str]
    ended_by: str
    message: str
    error_type: NotRequired[str | None]
    error_line: NotRequired[int | None]
    wall_seconds: NotRequired[float | None]


class ExampleResult(TypedDict):
    """One visible example and what came of it."""

    name: str
    passed: bool
    message: str
    call: NotRequired[str]
    """The call that was made."""
    expected: NotRequired[str]
    """Lines to lay beside `seen`."""
    seen: NotRequired[str]
    cause: NotRequired[str]
    """What kept the call from its end; the same words for the same cause."""


class LastRun(TypedDict):
    """The last run of this task, shown again after a reload."""

    lines: list[PrintedLine]
    end: RunEnd | None
    checks: NotRequired[list[ExampleResult]]
    figures: NotRequired[list[str]]
    """PNG in base64."""


class ShownTurn(TypedDict):
    """One message and its reply; the same keys as the turns route."""

    turn_id: str
    message: str
    reply: str
    complete: bool
    stopped: bool
    error: str | None
    actions: list[dict[str, Any]]
    """The steps of an assistant that acts."""


class TaskView(TypedDict):
    """What a participant may know of a task."""

    id: str
    title: str
    index: int
    """1 for the first task of the stage."""
    count: int
    brief_html: str
    """Trusted: rendered by the server from the task pack."""


class AgentView(TypedDict):
    """What an assistant that acts offers beside its steps."""

    offers_mode: bool
    """Whether the participant may switch asking off."""
    without_asking: bool
    """Whether they have."""


class AssistantView(TypedDict):
    """The assistant's side of the room, in arms that have one."""

    label: str
    greeting: str
    turns: list[ShownTurn]
    allow_paste: bool
    """False: text copied from replies cannot be pasted into the editor."""
    allow_insert: NotRequired[bool]
    """True: code of replies has a button that puts it into the editor."""
    agent: NotRequired[AgentView | None]
    """Present where the assistant acts."""
    opens_at_ms: int | None
    """Server time, ms since the epoch, before which no message can be sent."""


class ProgressView(TypedDict):
    """Where the stage stands among the parts of the study; the page fills in the minutes, which go on falling."""

    many: str
    one: str
    later_minutes: float


class ProbesView(TypedDict):
    """Probes of affect that may come on this page; the same keys as the answer of their route."""

    due_ms: list[int]
    """Left on the clock when one is due."""
    open: bool
    """One is on: after a reload it is drawn again."""


class WorkspaceData(TypedDict):
    """Everything the workspace needs; read from the database in every script run."""

    page_key: str
    """Opaque, the same for one participant across stages and reloads: unsent events are kept on disk under it."""
    stage: str
    step: str | int | None
    stage_title: str
    task: TaskView
    doc: str
    """Saved code, or the starter; read at mount and for a new task only."""
    doc_source: Literal["saved", "starter"]
    starter: NotRequired[str]
    """What the task began with, for the way back to it."""
    longest_code: NotRequired[int]
    """Bytes of a program beyond which it is not run or submitted."""
    deadline_ms: int | None
    now_ms: int
    assistant: AssistantView | None
    notes_html: str
    """Trusted. `<details>` sections, or headings, which become such sections."""
    last_run: LastRun | None
    can_leave: NotRequired[bool]
    """Shows `Leave the study`, whose click comes back as `leave`."""
    offers_exit: NotRequired[bool]
    """Shows `This cannot be done as described`."""
    time_scope: NotRequired[str]
    """Words behind `Time left` where the clock is for more than this task."""
    api: str
    """Prefix of the study's routes, without a slash at its end; usually empty."""
    texts: dict[str, str]
    """The catalogue's table `workspace`."""
    progress: NotRequired[ProgressView | None]
    notice: NotRequired[str]
    """What ended just before and what was handed in; empty for nothing."""
    probes: NotRequired[ProbesView | None]
    """Of affect; None where the stage has none left."""


class FormOption(TypedDict):
    """One option of a choice."""

    value: int | str
    html: str
    """Trusted: rendered by the server from the study's files."""


class FormRow(TypedDict):
    """One row of a matrix."""

    id: str
    html: str
    """Trusted."""


class FormField(TypedDict):
    """One question of a survey or item of a quiz, or what stands between them."""

    id: str
    kind: Literal[
        "choice", "multiple", "scale", "slider", "number", "text", "matrix", "ranking", "code", "heading", "text_block"
    ]
    prompt: str
    prompt_html: str
    """Trusted."""
    value: Any
    """What the server has of the field; read at mount only."""
    required: bool
    optional: bool
    clearable: bool
    """A choice can be taken back."""
    options: list[FormOption]
    grid: list[FormRow]
    """Rows of a matrix."""
    low: int | None
    high: int | None
    low_label: str
    high_label: str
    unit: str
    rows: int
    limit: int
    """Most characters of a text."""
    number: int | None
    """Of a quiz item: its place in the whole quiz, from 1."""
    code: str
    """Of a quiz item: the program to read."""
    starter: str | None
    beside: str | None
    """Of a rating of confidence: the item that it is about."""
    label: NotRequired[str]
    """The name of the answer's box, where the prompt only describes it."""


class FormAct(TypedDict):
    """Another way on from a page of an interview than its answer."""

    act: Literal["skipped", "stopped"]
    label: str


class FormData(TypedDict):
    """A page of a quiz, a survey or an interview."""

    page_key: str
    stage: str
    step: int
    kind: Literal["quiz", "survey", "interview"]
    fields: list[FormField]
    count: int
    """Items of the whole quiz."""
    button: str
    acts: NotRequired[list[FormAct]]
    no_way_back: bool
    deadline_ms: int | None
    now_ms: int
    api: str
    code_module: str
    """Address of the built `code.js`, which pages with code fetch besides."""
    texts: dict[str, str]
    """The catalogue's tables `workspace` and `form`."""


class Recording(TypedDict):
    """Where the countdown's page logs focus, visibility and the clipboard to."""

    page_key: str
    stage: str
    step: str | int | None
    api: str


class CountdownData(TypedDict):
    """Time left on a page without workspace."""

    deadline_ms: int | None
    now_ms: int
    texts: dict[str, str]
    """The catalogue's table `workspace`, or `time_left`, `five_minutes_left`, `one_minute_left` of it."""
    record: NotRequired[Recording | None]
    """Where given, attention on this page is logged."""
    fixed: NotRequired[bool]
    """Stay in the upper corner of the window while the page scrolls."""


class Button(TypedDict):
    """One button of a page that asks nothing."""

    act: Literal["agree", "disagree", "begin", "continue", "take_back"]
    label: str
    first: bool
    """The one that most will press."""


class Copy(TypedDict):
    """Something to take along."""

    title: str
    value: str
    address: bool
    """The value is an address below the study's own."""
    hint: str


class PageLink(TypedDict):
    """A way out of the study's pages."""

    href: str
    label: str


class Leave(TypedDict):
    """What `Leave the study` needs."""

    button: bool
    """False where the screen has its own button, which sends the event `study-leave`."""
    payment: str


class Forget(TypedDict):
    """Whose drafts a browser deletes, once it has sent what they came from."""

    page_key: str
    events: bool
    """At once, also what it could not send: the data are erased."""
    last: bool
    """No page comes after this one: what the server will not have is deleted as well."""


class ActionsData(TypedDict):
    """What can be pressed on a page."""

    page_key: str
    """The participant."""
    stage: str
    screen: str
    """Changes with the screen, so that a press never meets the next one."""
    buttons: list[Button]
    pledge: str | None
    """What has to be ticked before a button works."""
    copies: list[Copy]
    link: PageLink | None
    leave: Leave | None
    pinned: bool
    """The buttons stay at the window's lower edge."""
    forget: NotRequired[Forget]
    api: str
    texts: dict[str, str]
    """The catalogue's table `page`."""


class Advance(TypedDict):
    """The page says that this task is over; the server decides whether it is. Repeated every 3 s until data change."""

    reason: Literal["submitted", "deadline", "stage"]
    stage: str
    step: str | int | None
    task: str
    n: int
