"""One stored dataset gives the same results at every commit, unless a figure is changed on purpose."""

from __future__ import annotations

import difflib

from support.analysis.stored_results import expected, results_of, unpacked


def test_the_stored_dataset_gives_the_stored_results(tmp_path):
    found = results_of(unpacked(tmp_path))
    changed = list(difflib.unified_diff(expected().splitlines(), found.splitlines(), "stored", "now", n=2, lineterm=""))
    assert not changed, "\n".join(
        ["a figure changed; if that is meant: python tests/support/analysis/stored_results.py", *changed[:40]]
    )
