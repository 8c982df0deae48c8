"""Counters and histograms of this process, in the text format of Prometheus; nothing in them names a participant."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SLOW = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0)
LATE = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)

HISTOGRAMS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "study_request_seconds": ("From a request to the beginning of its answer.", QUICK),
    "study_event_store_seconds": ("From the arrival of a batch of events to its commit.", QUICK),
    "study_event_lag_seconds": ("From the oldest event of a batch, by its page's clock, to the commit.", LATE),
    "study_run_seconds": ("From a press on Run to the last line of its answer.", SLOW),
    "study_chat_first_token_seconds": ("From a question to the first piece of the reply.", SLOW),
    "study_chat_seconds": ("From a question to the end of the reply.", SLOW),
    "study_grading_seconds": ("From handing a program in to its verdict.", SLOW),
}
"""Name -> what it measures, and the upper ends of its buckets."""
COUNTERS: Mapping[str, str] = {
    "study_requests_total": "Requests answered, by route, method and class of status.",
    "study_errors_total": "Lines of the log at the level of errors, by the part that wrote them.",
}
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Family:
    """Samples of one name, to be written."""

    name: str
    kind: str
    meaning: str
    samples: tuple[tuple[str, Labels, float], ...]
    """End of the name, labels, value."""


class _Histogram:
    def __init__(self, ends: tuple[float, ...]) -> None:
        self.ends = ends
        self.counts = [0] * (len(ends) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        # Prometheus counts a value that equals a bucket's end into the bucket.
        self.counts[bisect_left(self.ends, value)] += 1
        self.sum += value

    def samples(self, labels: Labels) -> Iterator[tuple[str, Labels, float]]:
        total = 0
        for end, count in zip((*self.ends, float("inf")), self.counts, strict=True):
            total += count
            yield "_bucket", (*labels, ("le", "+Inf" if end == float("inf") else f"{end:g}")), total
        yield "_sum", labels, self.sum
        yield "_count", labels, total


class Metrics:
    """What this process has done since it started; safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._histograms: dict[tuple[str, Labels], _Histogram] = {}
        self._counters: dict[tuple[str, Labels], float] = {}
        for name in HISTOGRAMS:
            # Without labels there is one series, which is there from the start: a missing one does not mean zero.
            if name != "study_request_seconds":
                self._histograms[name, ()] = _Histogram(HISTOGRAMS[name][1])

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add one measurement; what the clock makes negative counts as 0."""
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            if key not in self._histograms:
                self._histograms[key] = _Histogram(HISTOGRAMS[name][1])
            self._histograms[key].add(max(0.0, seconds))

    def count(self, name: str, **labels: str) -> None:
        """Count one more."""
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            self._counters[key] = self._counters.get(key, 0.0) + 1

    def families(self) -> list[Family]:
        """Return everything, in fixed order."""
        with self._lock:
            histograms = {
                name: [sample for (of, labels), one in sorted(self._histograms.items(), key=lambda item: item[0])
                       if of == name for sample in one.samples(labels)]
                for name in HISTOGRAMS
            }  # fmt: skip
            counters = {
                name: [("", labels, value) for (of, labels), value in sorted(self._counters.items()) if of == name]
                for name in COUNTERS
            }
        return [
            *(Family(name, "histogram", HISTOGRAMS[name][0], tuple(found)) for name, found in histograms.items()),
            *(Family(name, "counter", COUNTERS[name], tuple(found)) for name, found in counters.items()),
        ]


def gauge(name: str, meaning: str, samples: Mapping[Labels, float] | float) -> Family:
    """Return a figure of this moment."""
    found = samples.items() if isinstance(samples, Mapping) else [((), samples)]
    return Family(name, "gauge", meaning, tuple(("", labels, float(value)) for labels, value in found))


def written(families: Iterable[Family]) -> str:
    """Return the text that Prometheus reads (version 0.0.4)."""
    lines = []
    for family in families:
        lines += [f"# HELP {family.name} {_escaped(family.meaning)}", f"# TYPE {family.name} {family.kind}"]
        for end, labels, value in family.samples:
            inner = ",".join(f'{name}="{_escaped(text, quote=True)}"' for name, text in labels)
            lines.append(f"{family.name}{end}{f'{{{inner}}}' if inner else ''} {_number(value)}")
    return "\n".join(lines) + "\n"


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
