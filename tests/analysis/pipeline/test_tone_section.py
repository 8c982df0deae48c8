"""Tone in the report: a share only where people agree with the rules, else a sentence."""

from __future__ import annotations

import types

import pandas as pd
import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.interaction.coders.agreement import kappa
from analysis.pipeline.description.tone import tone_section
from analysis.report.wording import number

TEXTS = ["thanks", "please", "thank you", "ugh", "damn", "Write it", "How?", "What is a nursery?"]
PEOPLE = ["polite", "polite", "polite", "frustrated", "neutral", "frustrated", "neutral", "neutral"]


def view(coded: bool = True):
    who = [f"p{n % 4}" for n in range(len(TEXTS))]
    turns = pd.DataFrame({"participant_id": who, "turn_id": [f"t{n}" for n in range(len(TEXTS))], "message": TEXTS})
    turns["reply"] = ""
    given = [(f"turn:t{n}", "anna", tone, "tone-1", "2026-01-03") for n, tone in enumerate(PEOPLE)]
    given += [("turn:t0", "anna", "calm", "tone-1", "2026-01-01"), ("turn:t1", "rules", "calm", "tone-1", "2026-01-04")]
    given = given if coded else [("turn:t0", "anna", "explanation", "codes", "2026-01-01")]
    ratings = pd.DataFrame(given, columns=["object", "rater", "value", "rubric", "rated_at"])
    people = pd.DataFrame({"participant_id": ["p0", "p1", "p2", "p3"], "arm": ["ai", "ai", "tone", "tone"]})
    return types.SimpleNamespace(
        participants=people, tables={"turns": turns, "ratings": ratings}, hidden=False, arm_ids=("ai", "tone")
    )


def test_a_tone_below_the_floor_has_a_sentence_and_no_share():
    found = tone_section(view())
    tones = found["messages"]["tones"]
    assert (found["messages"]["texts"], found["messages"]["coded_by_people"]) == (8, 8)
    assert tones["polite"]["kappa"] == 1.0
    assert [(row["arm"], row["share"]) for row in tones["polite"]["arms"]] == [("ai", 0.5), ("tone", 0.25)]
    rules = [0, 0, 0, 1, 1, 0, 0, 0]
    due = kappa(rules, [tone == "frustrated" for tone in PEOPLE])
    assert tones["frustrated"]["kappa"] == pytest.approx(due)
    assert due < 0.6
    assert "arms" not in tones["frustrated"]
    assert tones["frustrated"]["note"] == f"not analysed: kappa with people is {due:.2f}, and 0.6 is the least"
    assert tones["playful"]["note"].startswith("not analysed: kappa with people cannot be computed")
    assert "replies" not in found


def test_without_people_s_codes_there_is_no_section():
    assert tone_section(view(coded=False)) == {}


def test_claude_stands_beside_the_rules_and_texts_in_other_languages_are_counted():
    made = view()
    codes = [(f"turn:t{n}", "claude", tone, "tone-1", "2026-01-04") for n, tone in enumerate(PEOPLE)]
    made.tables["ratings"] = pd.concat(
        [made.tables["ratings"], pd.DataFrame(codes, columns=made.tables["ratings"].columns)], ignore_index=True
    )
    made.participants["language"] = ["en", "en", "en", "de"]
    found = tone_section(made)["messages"]
    assert (found["texts"], found["not_read"]) == (6, 2)
    # Claude reads every language, and says here what people say.
    assert found["claude"]["texts"] == 8
    assert found["claude"]["tones"]["frustrated"]["kappa"] == 1.0
    assert [row["arm"] for row in found["claude"]["tones"]["frustrated"]["arms"]] == ["ai", "tone"]
    polite = found["claude"]["tones"]["polite"]
    assert polite["ci_low"] <= polite["kappa"] <= polite["ci_high"]


def test_the_report_says_what_tone_is_not():
    environment = Environment(loader=PackageLoader("analysis.report"), autoescape=True, undefined=StrictUndefined)
    # The page's macros name filters that this section does not use.
    others = ("p", "note", "analysis_name", "shown", "bounds_note", "population", "counts", "compact")
    environment.filters |= {"num": number} | dict.fromkeys(others, str)
    page = environment.get_template("tone.html.j2").render(result={"tone": tone_section(view())}, stamps=[], labels={})
    assert "it is not an inner state, neither of a person nor of a model" in page
    assert "not analysed" in page
    assert "Messages by rules" in page
    assert "Messages by Claude" not in page
