"""Tables, badges and figures of the console as plain HTML; what a participant wrote is only ever text in it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

GREY, BLUE = "#7a828d", "#3d76d6"
STATUS_TONES = {
    "in_progress": "accent",
    "completed": "good",
    "screened_out": "quiet",
    "declined": "quiet",
    "withdrawn": "warm",
    "abandoned": "warm",
    "excluded": "bad",
}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def cell(value: object) -> str:
    """Return a value as HTML; None and empty text as a dash."""
    if isinstance(value, Html):
        return value
    if value is None or value == "":
        return '<span class="sc-none">–</span>'
    return escape(str(value))


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = (), label: str) -> str:
    """Return a table.

    Args:
        header: column names.
        rows: values; `Html` goes in as it is, everything else as text.
        numbers: indices of columns that are set flush right.
        label: what screen readers call it.
    """

    def tag(name: str, index: int, content: str) -> str:
        return f"<{name}{' class=sc-number' if index in numbers else ''}>{content}</{name}>"

    # A heading without a word, as of a column of bars, is none for screen readers.
    head = "".join(tag("th" if name else "td", index, escape(name)) for index, name in enumerate(header))
    body = "".join(
        f"<tr>{''.join(tag('td', index, cell(value)) for index, value in enumerate(row))}</tr>" for row in rows
    )
    return (
        f'<div class="sc-scroll"><table class="sc-table" aria-label="{escape(label, quote=True)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Names and values in two columns."""
    return f'<dl class="sc-facts">{"".join(f"<dt>{escape(k)}</dt><dd>{cell(v)}</dd>" for k, v in rows)}</dl>'


def tiles(rows: Iterable[tuple[str, object, str]]) -> str:
    """Large figures: name, value, a word on it."""
    content = "".join(
        f'<div class="sc-tile"><span class="sc-tile-name">{escape(name)}</span>'
        f'<span class="sc-tile-value">{cell(value)}</span><span class="sc-tile-note">{escape(note)}</span></div>'
        for name, value, note in rows
    )
    return f'<div class="sc-tiles">{content}</div>'


def badge(text: str, tone: str = "quiet") -> Html:
    """Return a word with a tone: accent, good, warm, bad, quiet."""
    return Html(f'<span class="sc-badge sc-{tone}">{escape(text)}</span>')


def status(name: str) -> Html:
    """Return a participant's status."""
    return badge(name.replace("_", " "), STATUS_TONES.get(name, "quiet"))


def code(text: str) -> Html:
    """Return an identifier or a hash."""
    return Html(f"<code>{escape(text)}</code>")


def pre(text: str, *, small: bool = False) -> str:
    """Return a program or a message, as it was written; a long one scrolls, also by keyboard."""
    return f'<pre class="sc-pre{" sc-small" if small else ""}" tabindex="0">{escape(text)}</pre>'


def heading(text: str) -> str:
    """Return the heading of a part of a board."""
    return f'<h2 class="sc-heading">{escape(text)}</h2>'


def note(text: str) -> str:
    """Return a quiet sentence."""
    return f'<p class="sc-note">{escape(text)}</p>'


def moment(at: datetime | None) -> str:
    """Return a moment, to the minute, UTC."""
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M")


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long ago, in the largest unit."""
    if at is None:
        return ""
    seconds = max(0.0, (now - at).total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"


def minutes(value: float | None) -> str:
    """Minutes as a figure."""
    return "" if value is None else f"{value:.1f}"


def bar(part: float, whole: float, tone: str = "accent") -> Html:
    """Return a bar in a table cell."""
    width = 0.0 if whole <= 0 else min(100.0, 100 * part / whole)
    return Html(f'<span class="sc-bar"><span class="sc-fill sc-{tone}" style="width:{width:.1f}%"></span></span>')


def steps(arrivals: Sequence[datetime], target: int, now: datetime, *, since: datetime | None = None) -> str:
    """Enrolment over time as a step line, with the target; an SVG picture in tones that suit light and dark."""
    if not arrivals:
        return ""
    width, height, left, bottom, top = 640, 200, 34, 24, 12
    first = min(filter(None, (since, arrivals[0])))
    span = max((now - first).total_seconds(), 3600.0)
    high = max(target, len(arrivals))

    def x(at: datetime) -> float:
        return left + (width - left - 8) * (at - first).total_seconds() / span

    def y(count: float) -> float:
        return height - bottom - (height - bottom - top) * count / high

    path = f"M{x(first):.1f},{y(0):.1f}"
    for count, at in enumerate(arrivals, 1):
        path += f"H{x(at):.1f}V{y(count):.1f}"
    path += f"H{x(now):.1f}"
    form = "%d %b" if span > 2 * 86_400 else "%H:%M"
    right = width - 8
    ticks = "".join(
        f'<text x="{left - 8}" y="{y(count) + 4:.1f}" text-anchor="end">{count:g}</text>'
        f'<path d="M{left},{y(count):.1f}H{right}" stroke="{GREY}" stroke-opacity=".25"/>'
        for count in sorted({0, high // 2, high})
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" '
        f'font-size="12" fill="{GREY}">{ticks}'
        f'<path d="M{left},{y(target):.1f}H{right}" stroke="#b3700f" stroke-dasharray="3 4"/>'
        f'<text x="{right - 2}" y="{y(target) + 15:.1f}" text-anchor="end">target {target}</text>'
        f'<path d="{path}V{y(0):.1f}Z" fill="{BLUE}" fill-opacity=".1"/>'
        f'<path d="{path}" fill="none" stroke="{BLUE}" stroke-width="2" stroke-linejoin="round"/>'
        f'<text x="{left}" y="{height - 6}">{first.strftime(form)}</text>'
        f'<text x="{right}" y="{height - 6}" text-anchor="end">{now.strftime(form)}</text></svg>'
    )
    return (
        f'<img class="sc-chart" alt="Enrolment over time: {len(arrivals)} of {target}" '
        f'src="data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}">'
    )
