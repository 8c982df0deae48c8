"""The published study's process figures, recomputed from its public transcripts and held against the paper.

`python -m analysis.published_study.published FOLDER [--page FILE]` prints each figure; with all 52 files any deviation
from the recorded values is an error, and with `--page` the comparison page is written.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.effect_sizes import from_summary
from analysis.estimators.core.results import Estimate
from analysis.estimators.methods import METHODS
from analysis.interaction.groups import CAUTION, group_table
from analysis.interaction.patterns import assign
from analysis.published_study.repairs import Repaired, repair
from analysis.published_study.schema import read_transcripts
from analysis.published_study.tables import composing_seconds, tables
from study_app.domain.errors import UserError
from study_app.domain.interaction.codebook import LABELS

FULL = 52
"""Public files."""


@dataclass(frozen=True)
class Quantity:
    """One line of the comparison."""

    key: str
    name: str
    published: str
    recomputed: str
    """From all public files."""
    reason: str
    """Why the two differ, or how the agreement comes about."""


def quantities() -> tuple[Quantity, ...]:
    """Return what the paper prints and the public files give."""
    content = tomllib.loads(resources.files(__package__).joinpath("published.toml").read_text(encoding="utf-8"))
    return tuple(Quantity(**entry) for entry in content["quantity"])


def figures(folder: Path) -> dict[str, str]:
    """Return every quantity, computed from the transcripts of `folder`, as the page prints it.

    Raises:
        ProblemsFound: malformed files.
    """
    people = [repair(transcript) for transcript in read_transcripts(folder)]
    made = tables(people, "")
    participants = made["participants"]
    return {
        **_times(people, participants),
        **_errors(participants),
        **_queries(people, participants),
        **_patterns(participants, made),
    }


def _arms(participants: pd.DataFrame, value: Callable[[pd.DataFrame], str], between: str = " and ") -> str:
    return between.join(value(participants[participants["arm"] == arm]) for arm in ("ai", "no_ai"))


def _times(people: Sequence[Repaired], participants: pd.DataFrame) -> dict[str, str]:
    ai = [person for person in people if person.transcript.condition == "AI"]
    minutes = [found for person in ai if (found := _minutes_to_completion(person)) is not None]
    controls = participants[participants["arm"] == "no_ai"]
    return {
        "participants": _arms(participants, lambda rows: str(len(rows))),
        "minutes": _arms(participants, lambda rows: f"{rows['task_minutes'].mean():.2f}"),
        "minutes_p": _p(participants, "student_t", "task_minutes"),
        "minutes_rank_p": _p(participants, "mann_whitney", "task_minutes"),
        "minutes_censored": _censored(participants),
        "finished_p": _p(participants, "fisher", "task_completed"),
        "ai_median": f"{np.median(minutes):.2f}" if minutes else "",
        "warmup": _arms(participants, lambda rows: f"{rows['warmup_minutes'].mean():.2f}"),
        "not_finished": f"{int((controls['task_completed'] == 0).sum())} of {len(controls)}",
    }


def _minutes_to_completion(person: Repaired) -> float | None:
    starts = [event.recorded.seconds for event in person.events if event.kind == "task_start"]
    ends = [event.recorded.seconds for event in person.events if event.kind == "task_completion"]
    return (ends[-1] - starts[0]) / 60 if starts and ends else None


def _row(participants: pd.DataFrame, method: str, outcome: str, **options: Any) -> Estimate | None:
    """AI minus No AI by one of the analysis's methods; None where an arm is missing."""
    if participants["arm"].nunique() < 2:
        return None
    data = participants.astype({outcome: float, "task_completed": float})
    return _one(METHODS[method](data, outcome=outcome, arm="arm", control="no_ai", **options))


def _p(participants: pd.DataFrame, method: str, outcome: str, *, digits: int = 3, **options: Any) -> str:
    row = _row(participants, method, outcome, **options)
    return "" if row is None or row.p_value is None else f"{row.p_value:.{digits}f}"


def _censored(participants: pd.DataFrame) -> str:
    row = _row(participants, "cox", "task_minutes", event="task_completed")
    if row is None or row.effect_size is None or row.effect_size.value is None:
        return ""
    logrank = _p(participants, "logrank", "task_minutes", event="task_completed")
    return f"{logrank}; {row.effect_size.value:.2f} ({row.p_value:.3f})"


def _one(found: Estimate | list[Estimate]) -> Estimate:
    return found[0] if isinstance(found, list) else found


def _errors(participants: pd.DataFrame) -> dict[str, str]:
    """Medians and linear quartiles; by task as the annotators noted it."""
    found = {}
    for name, column in (("total", "errors"), ("task_1", "errors_task_1"), ("task_2", "errors_task_2")):
        for arm in ("ai", "no_ai"):
            values = participants.loc[participants["arm"] == arm, column].astype(float)
            if len(values):
                low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
                found[f"errors_{name}_{arm}"] = f"{middle:.1f} ({low:.1f}-{high:.1f})"
    found["error_free"] = _arms(participants, lambda rows: str(int((rows["errors"] == 0).sum())))
    found["errors_p"] = _p(participants, "student_t", "errors", digits=4)
    return found


def _queries(people: Sequence[Repaired], participants: pd.DataFrame) -> dict[str, str]:
    ai = participants[participants["arm"] == "ai"].reset_index(drop=True)
    counts = ai[[f"queries_{label}" for label in LABELS]].astype(float).set_axis(list(LABELS), axis=1)
    events = [event for person in people for event in person.events if event.kind == "ai_query"]
    composing = [seconds for person in people for seconds in composing_seconds(person.events) if seconds is not None]
    only = (counts["generation"] > 0) & (counts["explanation"] == 0) & (counts["debugging"] == 0)
    asked = [(counts["explanation"] > 0).sum(), (counts["generation"] > 0).sum(), only.sum()]
    styles = [int((ai["adoption"] == style).sum()) for style in ("paste", "copy", "both", "neither")]
    return {
        "labels": ", ".join(f"{int(counts[label].sum())}" for label in LABELS),
        "double_labelled": str(sum(len(event.codes) > 1 for event in events)),
        "askers": f"{', '.join(str(int(number)) for number in asked)} of {len(ai)}",
        "debugging_minutes": _debugging_against_minutes(ai, counts),
        "most_queries": str(int(ai["queries"].max())) if len(ai) else "",
        "most_composing": f"{ai['interaction_minutes'].max():.2f}" if len(ai) else "",
        "longest_query": f"{max(composing) / 60:.2f}" if composing else "",
        "adoption": ", ".join(map(str, styles)),
    }


def _debugging_against_minutes(ai: pd.DataFrame, counts: pd.DataFrame) -> str:
    share = counts["debugging"] / counts.sum(axis=1)
    data = pd.DataFrame({"minutes": ai["task_minutes"], "share": share}).dropna()
    if len(data) < 3 or data["share"].nunique() < 2:
        return ""
    row = _one(METHODS["pearson"](data, outcome="minutes", x="share"))
    return f"{row.estimate:.2f}, {row.p_value:.3f}"


def _patterns(participants: pd.DataFrame, made: dict[str, pd.DataFrame]) -> dict[str, str]:
    return {
        f"pattern: {row['pattern']}": f"{row['n']}, {row['minutes']['mean']:.2f}" if row["n"] else "0"
        for row in group_table(participants, assign(made))
    }


_HEAD = """# The published study, recomputed

Written by `python -m analysis.published_study.published FOLDER --page docs/reference/published_study.md`; do not
edit by hand.

The paper's process figures (arXiv 2601.20245) beside the same figures from its 52 public transcripts, read with
`study import-transcripts`. The repository holds none of the transcripts. Running the module on a folder with all 52
files recomputes every line and fails where one deviates. Individual quiz scores and surveys are not public, so nothing
about learning can be recomputed.

How: minutes are the recorded `main_task_minutes`; errors are `error` events, by the task that the annotators noted,
with linear quartiles; labels are counted on `ai_query` events; composing runs from an `ai_interaction` to the next
`ai_query` and starts anew where it is repeated; adoption asks whether `paste` or `code_copying` events occur. Repairs
(typing errors in codes, wrong task numbers, times running backwards) are listed in the imported dataset's `CHANGES.md`;
none of the figures below depends on them except the spelling of codes.

| quantity | paper | public files | why they differ, or how they agree |
| --- | --- | --- | --- |
"""

_PATTERNS = """
Patterns are assigned by the shipped rule set on the published human codes. Delegation and Iterative Debugging have the
printed sizes and means, and are almost certainly the paper's groups.

{caution}

## The summary statistics against each other

`analysis.effects.from_summary` goes from an effect size and the arms' sizes to t, p and interval:
"""


def page() -> str:
    """Return the comparison page, from the recorded values of all public files."""
    rows = [
        f"| {each.name} | {each.published} | {each.recomputed} | {each.reason or 'equal'} |" for each in quantities()
    ]
    return _HEAD + "\n".join(rows) + "\n" + _PATTERNS.format(caution=CAUTION) + _summary()


def _summary() -> str:
    found: Any = from_summary(mean_difference=-4.15, d=-0.738, n=(26, 26))
    return f"""
- d = 0.738 at 26 and 26 gives t({found.df:.0f}) = {abs(found.t):.2f} and p = {found.p:.4f}: the printed p = 0.010
  is Student's test.
- A difference of 4.15 points with d = 0.738 implies a pooled standard deviation of {4.15 / 0.738:.2f} points.
- 4.15 of 27 points is {100 * 4.15 / 27:.1f} percentage points, while the means printed elsewhere (50% and 67%)
  differ by 17, that is {0.17 * 27:.2f} points: these do not agree, which is why study-app prints points with their
  denominator.
"""


def deviations(folder: Path) -> list[str]:
    """Return what differs from the recorded values, as `name: found, recorded`.

    Only meaningful for all public files.
    """
    found = figures(folder)
    return [
        f"{each.name}: {found.get(each.key, '')}, recorded {each.recomputed}"
        for each in quantities()
        if found.get(each.key, "") != each.recomputed
    ]


def main(arguments: Sequence[str]) -> int:
    """Print the figures of a folder; 1 where all 52 files are there and a figure deviates."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write("error: arguments: FOLDER: is missing; name the folder of the transcripts\n")
        return 2
    folder = Path(arguments[0])
    try:
        found = figures(folder)
        files = len(read_transcripts(folder))
    except UserError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in str(error).splitlines()))
        return 2
    for each in quantities():
        why = f"; {each.reason}" if each.reason else ""
        sys.stdout.write(f"{each.name}: {found.get(each.key, '')} (paper: {each.published}{why})\n")
    if "--page" in arguments[1:-1]:
        Path(arguments[arguments.index("--page") + 1]).write_text(page(), encoding="utf-8")
    wrong = deviations(folder) if files == FULL else []
    sys.stdout.write("".join(f"deviates: {line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
