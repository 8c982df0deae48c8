"""The study as a picture: stages from top to bottom, one column an arm from the allocation on; our own SVG."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from study_app.domain.study.durations import rounded
from study_app.services.researcher.protocol import ProtocolStage

WIDTH, ROW, GAP, LEFT = 1040, 62, 12, 96
STYLE = """<style>
text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.name { font-weight: 620; } .small { font-size: 12.5px; fill: #4d5661; }
rect { fill: #f4f6f9; stroke: #a9b2be; } .own { fill: #e5eefc; stroke: #3d76d6; }
path { stroke: #8b95a2; fill: none; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ee; } .small { fill: #b3bdc9; }
  rect { fill: #1d222a; stroke: #566070; } .own { fill: #1b2b45; stroke: #6ea0f5; } }
</style>"""


def picture(stages: Sequence[ProtocolStage], arms: Sequence[tuple[str, str]], allocation: str) -> str:
    """Return the picture as an image with a description of its content.

    Args:
        stages: the way.
        arms: id and name with weight of each arm.
        allocation: the scheme in a few words.
    """
    parts: list[str] = []
    y = float(GAP)
    for stage in stages:
        if stage.waits_days:
            y = _wait(parts, y, stage.waits_days)
        if stage.allocates:
            y = _fork(parts, y, arms, allocation)
        y = _stage(parts, y, stage, [arm for arm, _ in arms])
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}">{STYLE}{"".join(parts)}</svg>'
    return (
        f'<img class="sc-chart" alt="{escape(_spoken_description(stages, arms, allocation), quote=True)}" '
        f'src="data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}">'
    )


def _columns(count: int) -> list[tuple[float, float]]:
    """Left edge and width of each arm's column."""
    width = (WIDTH - LEFT - GAP * count) / count
    return [(LEFT + number * (width + GAP), width) for number in range(count)]


def _stage(parts: list[str], y: float, stage: ProtocolStage, arms: Sequence[str]) -> float:
    minutes = f"≤ {stage.minutes:g} min" if stage.limited else f"~ {rounded(stage.minutes)} min"
    if stage.minutes:
        parts.append(f'<text class="small" x="{LEFT - 14}" y="{y + 31:.0f}" text-anchor="end">{minutes}</text>')
    columns = _columns(len(arms)) if stage.differs else [(LEFT, WIDTH - LEFT - GAP)]
    for (x, width), arm in zip(columns, arms, strict=False):
        own = ' class="own"' if stage.differs else ""
        parts.append(f'<rect{own} x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{ROW - GAP}" rx="7"/>')
        for line, (kind, text) in enumerate((("name", stage.title), ("small", stage.met[arm]))):
            shown = _cut(text, width - 28, 8.4 if kind == "name" else 6.9)
            parts.append(f'<text class="{kind}" x="{x + 14:.0f}" y="{y + 21 + 19 * line:.0f}">{escape(shown)}</text>')
    return y + ROW


def _fork(parts: list[str], y: float, arms: Sequence[tuple[str, str]], allocation: str) -> float:
    """Return the allocation: one line that becomes one for each arm."""
    middle = LEFT + (WIDTH - LEFT - GAP) / 2
    parts.append(f'<text class="name" x="{middle:.0f}" y="{y + 16:.0f}" text-anchor="middle">Allocation</text>')
    parts.append(
        f'<text class="small" x="{middle:.0f}" y="{y + 34:.0f}" text-anchor="middle">{escape(allocation)}</text>'
    )
    for (x, width), (_, name) in zip(_columns(len(arms)), arms, strict=True):
        at = x + width / 2
        parts.append(f'<path d="M{middle:.0f},{y + 42:.0f}V{y + 50:.0f}H{at:.0f}V{y + 60:.0f}"/>')
        shown = escape(_cut(name, width, 8.4))
        parts.append(f'<text class="name" x="{at:.0f}" y="{y + 76:.0f}" text-anchor="middle">{shown}</text>')
    return y + 90


def _wait(parts: list[str], y: float, days: float) -> float:
    middle = LEFT + (WIDTH - LEFT - GAP) / 2
    words = f"{days:g} day{'s' if days != 1 else ''} later"
    parts.append(f'<text class="small" x="{middle:.0f}" y="{y + 20:.0f}" text-anchor="middle">{words}</text>')
    parts.append(f'<path stroke-dasharray="3 4" d="M{LEFT},{y + 28:.0f}H{WIDTH - GAP}"/>')
    return y + 40


def _cut(text: str, width: float, of_letter: float) -> str:
    """Return what fits; letters are counted at their mean width, for an image cannot measure."""
    room = int(width / of_letter)
    return text if len(text) <= room else text[: max(1, room - 1)].rstrip() + "…"


def _spoken_description(stages: Sequence[ProtocolStage], arms: Sequence[tuple[str, str]], allocation: str) -> str:
    titles = ", ".join(stage.title for stage in stages)
    return f"Stages: {titles}. Arms: {', '.join(name for _, name in arms)}. Allocation: {allocation}."
