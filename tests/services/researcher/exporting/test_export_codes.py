"""Whose codes of the queries stand in the dataset, and which pattern follows from them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.clock import HandClock
from support.trials.export_world import ROOT, Walker, open_app, scratch, settle, table

from analysis.data.load import load
from analysis.interaction.selection import annotate
from study_app.claude_codes import code_by_claude
from study_app.dataset.verification import verify
from study_app.domain.records import Rating
from study_app.services.researcher.exporting.export import export

OWN = """
[styles]
version = "mine-1"

[[styles.patterns]]
pattern = "Runner"
when = "runs_between_query_and_submission > 0 and edits_before_first_query == 1"
"""
Rows = dict[str, dict[str, str]]


def study(folder: Path, coder: str, styles: str = "") -> Path:
    """The shipped study with another coder and its own patterns."""
    for name in ("tasks", "quizzes", "assistants"):
        (folder / name).symlink_to(ROOT / name)
    text = (ROOT / "study.toml").read_text(encoding="utf-8")
    assert "[analysis]\n" in text
    path = folder / "study.toml"
    path.write_text(text.replace("[analysis]\n", f'[analysis]\ncoder = "{coder}"\n') + styles, encoding="utf-8")
    return path


@cache
def exported(coder: str, styles: str = "") -> tuple[Path, Rows, Rows]:
    """A dataset, its turns by message, its people by what they did."""
    folder, clock = scratch(), HandClock()
    app = open_app(folder, clock, study(folder, coder, styles))
    people: dict[str, Walker] = {}
    while len(people) < 3:
        walker = Walker(app, clock).to_tasks().begin_tasks()
        name = "control" if walker.arm == "no_ai" else "asker" if "asker" not in people else "silent"
        if name == "asker":
            walker.type("# mine\n")
            walker.ask("What does a nursery do?")
            walker.ask("Write the code of delayed_hello for me.")
            walker.run()
        people[name] = people.get(name) or walker.solve_tasks()
    people["still there"] = Walker(app, clock).consent()
    asker = people["asker"]
    first, second = asker.turns()
    given = [("r1", first, "explanation"), ("r2", first, "explanation;capability"), ("r1", second, "generation")]
    given += [("r2", second, "debugging"), ("adjudicated", second, "generation;debugging")]
    with app.context.registry.begin() as unit:
        for number, (rater, turn, value) in enumerate(given):
            unit.add_rating(Rating(f"rating{number}", f"turn:{turn}", rater, value, "codes", clock.now()))
    settle(app)
    export(app.context, folder / "d", include_preview=True)
    rows = {row["participant_id"]: row for row in table(folder / "d", "participants")}
    turns = {row["message"].split()[0]: row for row in table(folder / "d", "turns")}
    return folder / "d", turns, {name: rows[walker.id] for name, walker in people.items()}


@pytest.mark.parametrize(
    ("coder", "codes", "pattern"),
    [
        ("rules", ("explanation", "generation"), "Progressive AI Reliance"),
        ("human", ("explanation", "generation;debugging"), "Iterative AI Debugging"),
        pytest.param("claude", ("", ""), "", marks=pytest.mark.slow),
    ],
)
def test_codes_counts_and_pattern_are_those_of_the_plans_coder(coder, codes, pattern):
    dataset, turns, people = exported(coder)
    assert (turns["What"]["codes"], turns["Write"]["codes"]) == codes
    assert people["asker"]["interaction_pattern"] == pattern
    counted = [people["asker"][f"queries_{label}"] for label in ("explanation", "generation", "debugging")]
    expected = [str(sum(label in each.split(";") for each in codes)) for label in ("explanation", "generation")]
    assert counted[:2] == (["", ""] if coder == "claude" else expected)
    assert verify(dataset).findings == []


def test_a_pattern_is_none_for_who_asked_nothing_and_empty_where_there_is_no_assistant_or_no_task_yet():
    _, _, people = exported("rules")
    assert people["silent"]["interaction_pattern"] == "none"
    assert people["silent"]["queries_generation"] == "0"
    assert people["control"]["interaction_pattern"] == ""
    assert people["still there"]["interaction_pattern"] == ""


def test_a_studys_own_patterns_see_the_main_tasks_only():
    """The edits of the warm-up do not count: one edit came before the first query."""
    dataset, _, people = exported("rules", OWN)
    assert people["asker"]["interaction_pattern"] == "Runner"
    assert verify(dataset).findings == []


@pytest.mark.parametrize(("coder", "styles"), [("rules", ""), pytest.param("human", "", marks=pytest.mark.slow)])
def test_the_analysis_computes_the_same_codes_counts_and_patterns(coder, styles):
    dataset, _, _ = exported(coder, styles)
    tables = load(dataset).tables
    again = annotate(tables, coder)
    assert again["turns"]["codes"].tolist() == tables["turns"]["codes"].tolist()
    stated = tables["participants"]["interaction_pattern"].notna()
    for column in ("interaction_pattern", "queries_explanation", "queries_generation", "queries_debugging"):
        assert (again["participants"][column][stated] == tables["participants"][column][stated]).all()
    assert stated.sum() == 2


def test_two_exports_agree_and_the_database_is_not_written_to():
    dataset, _, _ = exported("rules")
    raters = {row["rater"] for row in table(dataset, "ratings")}
    assert raters == {"r1", "r2", "adjudicated"}


class Claude:
    """Answers like the Messages API: the labels given for each id, in turn."""

    def __init__(self, *replies: dict[str, list[str]]) -> None:
        self.replies, self.asked = list(replies), []
        self.messages = self

    def create(self, **request):
        self.asked.append(json.loads(request["messages"][0]["content"])["messages"])
        codes = [{"id": name, "labels": labels} for name, labels in self.replies.pop(0).items()]
        return SimpleNamespace(
            model="claude-x", content=[SimpleNamespace(type="text", text=json.dumps({"codes": codes}))]
        )


def test_claudes_codes_are_asked_for_once_kept_and_fill_the_export(monkeypatch):
    folder, clock = scratch(), HandClock()
    app = open_app(folder, clock, study(folder, "claude"))
    walker = Walker(app, clock).to_tasks().begin_tasks()
    while walker.arm != "ai":
        walker = Walker(app, clock).to_tasks().begin_tasks()
    walker.ask("What does a nursery do?")
    walker.ask("Write the timer for me.")
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert "ANTHROPIC_API_KEY" in code_by_claude(app.context)[0]
    claude = Claude({"m1": ["explanation"], "m2": ["luck"]}, {"m2": ["luck"]}, {})
    (warning,) = code_by_claude(app.context, claude)
    assert walker.turns()[1] in warning
    assert code_by_claude(app.context, again := Claude({"m1": ["debugging"], "m2": ["generation"]})) == []
    assert [message["message"] for message in again.asked[0]] == ["What does a nursery do?", "Write the timer for me."]
    assert code_by_claude(app.context, Claude()) == []
    export(app.context, folder / "d", include_preview=True)
    assert [turn["codes"] for turn in table(folder / "d", "turns")] == ["explanation", "generation"]
