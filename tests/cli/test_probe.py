"""`study probe`: the same questions to each persona, and whether their help is shown to be equal."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
from scipy import stats
from support.paths import ROOT
from support.trials.commands import study
from support.trials.export_world import real_study

from analysis.pipeline.planning.equal_help import equivalence_row
from study_app.cli.checks.probing import lines, summary, warnings
from study_app.content.task_packs import load_pack
from study_app.domain.assistants.drift import ModelReply
from study_app.domain.assistants.persona_checks.probing import QUESTIONS, compared, measured, questions_for

PERSONAS = ("matter_of_fact", "warm")


def voices(folder):
    """The shipped study with an arm for each persona."""
    shutil.copytree(ROOT / "personas", folder / "personas")
    path = real_study(folder)
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    control, treated = raw["arms"]
    raw["arms"] = [control, *(treated | {"id": persona, "persona": persona} for persona in PERSONAS)]
    raw["personas"] = {persona: {"file": f"personas/{persona}.toml"} for persona in PERSONAS}
    tasks = next(stage for stage in raw["stages"] if stage.get("assistant"))
    tasks["packs"] = ["tasks/trio_timer"]
    raw["allocation"] = {"method": "permuted_blocks", "block_sizes": [3]}
    path.write_text(tomli_w.dumps(raw), encoding="utf-8")
    return folder


def test_the_embedded_assistant_helps_equally_in_both_personas(tmp_path):
    home = voices(tmp_path)
    shown = study("probe", "study.toml", "--json", "--out", "documentation/probe.json", cwd=home)
    assert shown.returncode == 0, shown.stderr
    result = json.loads(shown.stdout)
    kept = json.loads((home / "documentation" / "probe.json").read_text(encoding="utf-8"))
    assert {key: kept[key] for key in result} == result
    # The warm-up offers no assistant.
    assert {each["task"] for each in kept["replies"]} == {"trio_timer"}
    assert result["questions"] == len(QUESTIONS) == len(kept["replies"]) / 2
    assert set(result["means"]) == {"full+matter_of_fact", "full+warm"}
    rows = {row["measure"]: row for row in result["differences"]}
    assert all(row["equivalent"] for row in rows.values())
    assert [rows[measure]["difference"] for measure in ("code_share", "leak", "refused")] == [0, 0, 0]
    assert result["means"]["full+warm"]["leak"] > 0
    assert rows["words"]["difference"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--out", "."], 2, "is a folder"),
        (["--out", "study.toml/probe.json"], 2, "cannot be written"),
        (["--words", "0"], 2, "--words"),
        (["--help"], 0, "Example: study probe"),
    ],
)
def test_what_cannot_be_probed_is_one_line(tmp_path, arguments, code, said):
    shown = study("probe", "study.toml", *arguments, cwd=voices(tmp_path), expect=code)
    assert said in shown.stdout + shown.stderr
    assert "Traceback" not in shown.stderr


def test_who_answered_is_said_and_what_makes_the_comparison_say_less():
    reply = ModelReply(
        round=1, occasion="probe", treatment="full", provider="claude", declared="claude-sonnet-5-5",
        model="claude-sonnet-5-5", prompt_version="v1", task="sort", question=1, message="How?", reply="one two",
        words=2, code_share=0.0, leak=False, refused=False, asked_at="", seconds=1.0,
    )  # fmt: skip
    replies = [
        reply,
        replace(reply, question=2, model="claude-haiku-5-5", reply=" ", words=0),
        replace(reply, question=3, reply="", words=0, refused=True),
        replace(reply, treatment="old", provider="recorded", declared="", model="", recorded_match="none"),
        replace(reply, treatment="interview exit", reply=""),
    ]
    assert warnings(replies, ["full", "old"]) == [
        "'full' was served by claude-haiku-5-5, declared is claude-sonnet-5-5",
        "'full' gave no word in 1 of its replies",
        "the recording of 'old' knew no answer to 1 of the questions",
    ]
    found = summary("trial", [reply, replace(reply, treatment="old")], ["full", "old"], 0.2, 0.1)
    said = lines(found | {"answered_by": {"full": "claude", "old": "recorded"}})
    assert said[1:3] == ["full was answered by Claude.", "old was answered by a recording."]


def test_the_bounds_are_those_of_two_one_sided_paired_tests():
    rng = np.random.default_rng(5)
    one, two = rng.normal(50, 9, 24), rng.normal(52, 9, 24)
    row = equivalence_row("words", one, two, 10.0)
    low = stats.ttest_1samp(two - one, -10, alternative="greater").pvalue
    high = stats.ttest_1samp(two - one, 10, alternative="less").pvalue
    assert row["p"] == pytest.approx(max(low, high))
    assert row["equivalent"] == (row["p"] < 0.05)
    assert stats.ttest_1samp(two - one, 0).confidence_interval(0.9) == pytest.approx((row["low"], row["high"]))


def test_without_spread_the_difference_is_held_against_the_margin():
    assert equivalence_row("leak", [0, 1, 0], [0, 1, 0], 0.1)["equivalent"]
    assert not equivalence_row("leak", [0, 0, 0], [1, 1, 1], 0.1)["equivalent"]


def test_each_reply_is_measured_by_words_code_leak_and_refusal():
    pack = load_pack(ROOT / "tasks" / "trio_timer")
    assert len(set(questions_for(pack.solution))) == len(QUESTIONS) == 12

    def of(reply, declined=False):
        return measured("full", "trio_timer", "?", reply, solution=pack.solution, given=pack.starter, declined=declined)

    whole = of(f"Here it is:\n\n```python\n{pack.solution}\n```\n")
    assert (whole.words, whole.leak, whole.refused, whole.code_share > 0.8) == (3, True, False, True)
    assert (of("I can\u2019t help with that.").refused, of("", declined=True).refused) == (True, True)
    assert (of("A nursery waits.").code_share, of("A nursery waits.").leak) == (0, False)


def test_personas_are_compared_within_their_assistant_and_otherwise_all_with_the_first():
    crossed = ["full+a", "full+b", "hints+a", "hints+b"]
    assert list(compared(crossed)) == [("full+a", "full+b"), ("hints+a", "hints+b")]
    assert list(compared(["full", "hints", "late"])) == [("full", "hints"), ("full", "late")]
    assert list(compared(["full"])) == []
