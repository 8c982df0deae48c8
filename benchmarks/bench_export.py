"""How long export, verification and attribution take, as JSON.

`export_per_event_us` and `verify_per_event_us` are reported with `copy_per_event_us`: writing the same rows to CSV with
nothing derived or checked. `export_cpu_per_event_us` is computing time, which a busy machine changes less.
Run: python benchmarks/bench_export.py [--participants N] [--edits N]
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.clock import HandClock  # noqa: E402
from support.trials.export_world import Walker, open_app, settle  # noqa: E402

from study_app.dataset.verification import verify  # noqa: E402
from study_app.domain.editing.provenance import Reply, attribute  # noqa: E402
from study_app.domain.events.browser import Edit, Load, PasteAttempt  # noqa: E402
from study_app.domain.events.changes import Change  # noqa: E402
from study_app.services.researcher.exporting.export import export  # noqa: E402


def timed(act):
    start = perf_counter()
    return act(), perf_counter() - start


def populated(folder: Path, participants: int, edits: int):
    """Participants who type one character an edit on the warm-up, 200 edits a batch."""
    app, clock = open_app(folder, HandClock()), None
    clock = app.context.clock
    for _ in range(participants):
        walker = Walker(app, clock).consent().background()
        app.session.begin_stage(walker.id, "warmup")
        walker.open("warmup")
        for at in range(0, edits, 200):
            batch = []
            for _ in range(min(200, edits - at)):
                end = len(walker.text)
                walker.text += "x"
                change = {"from": end, "to": end, "insert": "x"}
                batch.append(("edit", {"task": "warmup", "kind": "typed", "changes": [change], "length": end + 1}))
            clock.advance(seconds=20)
            walker.send(*batch)
        walker.submit()
    settle(app)
    return app


def plain_copy(app, target: Path) -> int:
    count = 0
    with app.context.registry.begin(write=False) as unit, target.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        for event in unit.events():
            writer.writerow([event.participant_id, event.seq, event.kind, json.dumps(event.payload)])
            count += 1
    return count


def attribution(lines: int, edits: int) -> float:
    """Seconds to attribute a program into which so many lines were pasted and then so many characters typed."""
    text = "\n".join(f"value_{number} = {number}  # some text" for number in range(lines))
    first = (
        Load(task="t", text="", source="starter"),
        PasteAttempt(text=text[:20_000], length=len(text), origin="outside"),
    )
    events = [*first, Edit(task="t", how="paste", changes=(Change(0, 0, text),), length=len(text))]
    for _ in range(edits):
        change = Change(len(text), len(text), "x")
        text += "x"
        events.append(Edit(task="t", how="typed", changes=(change,), length=len(text)))
    return timed(
        lambda: attribute(
            (("p", each) for each in events), text, task="t", starter="", replies=[Reply("r", "nothing like it")]
        )
    )[1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--participants", type=int, default=20)
    parser.add_argument("--edits", type=int, default=2000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = populated(folder, given.participants, given.edits)
        events, copying = timed(lambda: plain_copy(app, folder / "copy.csv"))
        before = process_time()
        summary, exporting = timed(lambda: export(app.context, folder / "dataset", include_preview=True))
        computing = process_time() - before
        report, verifying = timed(lambda: verify(folder / "dataset"))
        app.close()
    figures = {
        "participants": given.participants,
        "events": events,
        "rows": sum(summary.rows.values()),
        "verified": report.ok,
        "copy_per_event_us": 1e6 * copying / events,
        "export_per_event_us": 1e6 * exporting / events,
        "export_cpu_per_event_us": 1e6 * computing / events,
        "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss / 1024,
        "verify_per_event_us": 1e6 * verifying / events,
        "export_to_copy": exporting / copying,
        "attribute_20000_lines_1000_edits_seconds": attribution(20_000, 1000),
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
