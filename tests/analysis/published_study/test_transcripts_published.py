from pathlib import Path

import pandas as pd
import pytest
from support.analysis.transcript_maker import SHARED, asked, seen, transcript, write

from analysis.published_study import published

ROOT = Path(__file__).parents[3]
COUNTS = pd.read_csv(ROOT / "tests/oracles/paper_transcripts_give/data.csv")
CODES = ("code_generation", "question", "debugging", "capability_question", "thanks")


def made_up(row):
    """A transcript with one person's counts of the reference table; texts and times are invented."""
    clock = iter(range(60, 6000, 7))

    def at():
        seconds = next(clock)
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    codes = [code for code in CODES for _ in range(row[code])]
    # As many labels as queries, but for those that share one: the first queries take the surplus.
    labels = [[code] for code in codes[: row["nq"]]]
    for place, code in enumerate(codes[row["nq"] :]):
        labels[place].append(code)
    events = [seen("00:00:10", "task_start")]
    events += [asked(at(), own) for own in labels]
    for kind in ("paste", "code_copying", "error"):
        events += [seen(at(), kind) for _ in range(row[kind])]
    events += [seen(at(), "task_completion"), seen(at(), "task_submission"), seen(at(), "task_start", "2")]
    events += [seen(at(), "task_completion", "2")] if row["done2"] else []
    events += [seen(at(), "task_submission", "2")]
    made = transcript(row["pid"], row["cond"], events, row["mins"], (bool(row["done1"]), bool(row["done2"])))
    return made | {"warmup_task_minutes": row["warm"]}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made-up")
    return published.figures(write(folder, *(made_up(row) for row in COUNTS.to_dict("records"))))


@pytest.mark.parametrize(
    "key",
    """participants minutes minutes_p minutes_rank_p minutes_censored finished_p
    warmup not_finished errors_total_ai errors_total_no_ai error_free errors_p labels
    askers debugging_minutes most_queries adoption""".split()
    + ["pattern: AI Delegation"],
)
def test_counts_of_all_52_people_give_the_recorded_figure(found, key):
    recorded = {each.key: each.recomputed for each in published.quantities()}
    assert found[key] == recorded[key]


def test_every_quantity_is_computed(found):
    assert {each.key for each in published.quantities()} <= {*found, *_patterns()}


def _patterns():
    return {each.key for each in published.quantities() if each.key.startswith("pattern: ")}


def test_the_page_is_what_the_module_writes():
    assert (ROOT / "docs/reference/published_study.md").read_text(encoding="utf-8") == published.page()


def test_a_deviation_on_all_files_ends_with_1(tmp_path, capsys):
    folder = write(tmp_path, *(made_up(row) for row in COUNTS.to_dict("records")))
    assert published.main([str(folder)]) == 1
    assert "deviates: " in capsys.readouterr().out


def test_without_a_folder_the_remedy_is_said(capsys):
    assert published.main([]) == 2
    assert "name the folder" in capsys.readouterr().err


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published transcripts are not at hand")
def test_the_shared_files_deviate_nowhere_if_they_are_all():
    whole = len(list(SHARED.glob("*.json"))) == published.FULL
    assert not whole or published.deviations(SHARED) == []
    assert published.figures(SHARED)["most_queries"] == "15"
