"""Places of the boxes of the CONSORT flow diagram; the template draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

LINE = 19
PAD = 13
LONGEST = 28
"""Characters of a line that leave room for its number in the narrowest box."""


class BoxText(NamedTuple):
    """One line in a box."""

    words: str
    figure: str
    """The number, drawn with its place in results.json; empty where the line has none."""
    path: str
    strong: bool = False


class Box(NamedTuple):
    """A box with its lines; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[BoxText, ...]
    colour: str = ""

    @property
    def middle(self) -> float:
        """Horizontal centre."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.y + self.height


class Arrow(NamedTuple):
    """A line; with a head at its end where it leads into a box."""

    x1: float
    y1: float
    x2: float
    y2: float
    head: bool = True


class Diagram(NamedTuple):
    """Everything that the template draws."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def diagram(
    flow: Mapping[str, Any],
    labels: Mapping[str, str],
    *,
    hidden: bool = True,
    titles: Mapping[str, str] | None = None,
    plain: bool = False,
) -> Diagram:
    """Lay the flow out: enrolment in the middle, exclusions to the right, one column an arm below.

    Args:
        flow: of results.json.
        labels: arm -> what readers see.
        hidden: a use of the assistant that is null is withheld; otherwise it was never recorded and has no line.
        titles: outcome -> what readers see, for the people analysed for each.
        plain: a table collected elsewhere, which does not hold who was assessed or left.
    """
    titles = titles or {}
    arms = list(flow["arms"])
    column = 250.0 if len(arms) < 4 else 200.0
    gap = 26.0
    width = max(620.0, len(arms) * column + (len(arms) - 1) * gap + 4)
    centre = width / 2
    assessed = _box(
        centre - 130, 2, 260,
        (BoxText("Rows of the table" if plain else "Assessed for eligibility", str(flow["assessed"]), "flow.assessed",
                 True),),
    )  # fmt: skip
    turned = _reasons(flow["excluded"], "flow.excluded", "Not allocated")
    excluded = _box(min(centre + 34, width - 262), assessed.bottom + 22, 260, turned)
    allocated_y = max(excluded.bottom, assessed.bottom) + 22
    allocated = _box(
        centre - 130,
        allocated_y,
        260,
        (BoxText("Allocated at random", str(flow["allocated"]), "flow.allocated", True),),
    )
    boxes = [assessed, excluded, allocated]
    arrows = [
        Arrow(centre, assessed.bottom, centre, allocated.y),
        Arrow(centre, excluded.y + excluded.height / 2, excluded.x, excluded.y + excluded.height / 2),
    ]
    start = (width - len(arms) * column - (len(arms) - 1) * gap) / 2
    top = allocated.bottom + 44
    rail = allocated.bottom + 20
    tops = [(*_arm_lines(flow["arms"][arm], arm, labels[arm], hidden), *_units(flow, arm, "allocated")) for arm in arms]
    title = "Not in the primary analysis" if column > 220 else "Not analysed"
    unknown = plain and not any(arm["discontinued"] for arm in flow["arms"].values())
    losses = [_loss_lines(flow, arm, title, titles)[unknown:] for arm in arms]
    heights = [max(len(lines) for lines in group) * LINE + 2 * PAD - 4 for group in (tops, losses)]
    for index, arm in enumerate(arms):
        x = start + index * (column + gap)
        first = Box(x, top, column, heights[0], tops[index], f"arm{index % 8}")
        second = Box(x, first.bottom + 26, column, heights[1], losses[index])
        third = _box(x, second.bottom + 26, column, _analysed_lines(flow, arm, titles))
        boxes += [first, second, third]
        arrows += [
            Arrow(centre, rail, first.middle, rail, False),
            Arrow(first.middle, rail, first.middle, first.y),
            Arrow(first.middle, first.bottom, second.middle, second.y),
            Arrow(second.middle, second.bottom, third.middle, third.y),
        ]
    arrows.append(Arrow(centre, allocated.bottom, centre, rail, False))
    return Diagram(width, max(box.bottom for box in boxes) + 3, tuple(boxes), tuple(arrows))


def _box(x: float, y: float, width: float, lines: tuple[BoxText, ...]) -> Box:
    return Box(x, y, width, len(lines) * LINE + 2 * PAD - 4, lines)


def _analysed_lines(flow: Mapping[str, Any], arm: str, titles: Mapping[str, str]) -> tuple[BoxText, ...]:
    """People analysed, for each primary outcome where there are several."""
    each, more = flow.get("outcomes", {}), _units(flow, arm, "analysed")
    if len(each) < 2:
        first = BoxText("Analysed", str(flow["arms"][arm]["analysed"]), f"flow.arms.{arm}.analysed", True)
        return (first, *more)
    lines = [
        BoxText(_short(titles.get(name, name)), str(arms[arm]["analysed"]), f"flow.outcomes.{name}.{arm}.analysed")
        for name, arms in each.items()
    ]
    return (BoxText("Analysed", "", "", True), *lines, *more)


def _units(flow: Mapping[str, Any], arm: str, stage: str) -> tuple[BoxText, ...]:
    """Clusters, and people by the second randomisation, as they were allocated or analysed."""
    found = []
    if clusters := flow.get("clusters", {}).get(arm):
        found.append(BoxText("Clusters", str(clusters[stage]), f"flow.clusters.{arm}.{stage}"))
    if second := flow.get("second", {}).get(arm):
        if stage == "allocated":
            found.append(BoxText("Responded", str(second["responded"]), f"flow.second.{arm}.responded"))
        for name, counts in second["treatments"].items():
            path = f"flow.second.{arm}.treatments.{name}.{stage}"
            found.append(BoxText(f"Second: {_short(name)}", str(counts[stage]), path))
    return tuple(found)


def _arm_lines(arm: Mapping[str, Any], name: str, label: str, hidden: bool) -> tuple[BoxText, ...]:
    lines = (
        BoxText(label, "", "", True),
        BoxText("Allocated", str(arm["allocated"]), f"flow.arms.{name}.allocated"),
    )
    if arm["received"] is None and not hidden:
        return lines
    received = "withheld" if arm["received"] is None else str(arm["received"])
    return (*lines, BoxText("Used any AI", received, f"flow.arms.{name}.received"))


def _loss_lines(flow: Mapping[str, Any], name: str, title: str, titles: Mapping[str, str]) -> tuple[BoxText, ...]:
    """Who left, and who is in no analysis and why: of each primary outcome where there are several."""
    arm, each = flow["arms"][name], flow.get("outcomes", {})
    gone = BoxText("Left during the study", str(arm["discontinued"]), f"flow.arms.{name}.discontinued")
    if len(each) < 2:
        return (gone, *_reasons(arm["excluded"], f"flow.arms.{name}.excluded", title, titles))
    lines = [BoxText("Not analysed", "", "", True)]
    for outcome, arms in each.items():
        path = f"flow.outcomes.{outcome}.{name}.excluded"
        head, *reasons = _reasons(arms[name]["excluded"], path, _short(titles.get(outcome, outcome)), titles)
        lines += [head._replace(strong=False), *reasons]
    return (gone, *lines)


def _reasons(
    excluded: Mapping[str, int], path: str, title: str, titles: Mapping[str, str] | None = None
) -> tuple[BoxText, ...]:
    head = BoxText(title, str(sum(excluded.values())), path, True)
    return (
        head,
        *(
            BoxText(f"· {_short(reason_in_words(reason, titles or {}))}", str(count), f"{path}.{reason}")
            for reason, count in excluded.items()
        ),
    )


def reason_in_words(reason: str, titles: Mapping[str, str]) -> str:
    """Return why a person is in no analysis of an outcome, with what they lack under its title.

    >>> reason_in_words("no quiz_points", {"quiz_points": "Quiz score"}), reason_in_words("data withdrawn", {})
    ('missing: Quiz score', 'data withdrawn')
    """
    lacks = reason.removeprefix("no ")
    return f"missing: {titles[lacks]}" if lacks != reason and lacks in titles else reason.replace("_", " ")


def _short(reason: str) -> str:
    text = reason.replace("_", " ")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
