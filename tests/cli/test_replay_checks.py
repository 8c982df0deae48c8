"""Whether a recording can take a model's place is said before the launch, each gap by a sentence."""

from __future__ import annotations

import pytest
from support.trials.replayed_study import KNOWN, TURNS, replayed_study

from study_app.bootstrap import open_library
from study_app.cli.checks.replay_checks import replay_coverage, replay_problems
from study_app.cli.checks.study_checks import assistant_problems
from study_app.domain.study.study import protocol_hash

KEY = {"ANTHROPIC_API_KEY": "sk-right"}


def problems(path) -> list[str]:
    return [f"{one.key}: {one.what}" for one in assistant_problems(open_library(path), KEY)]


def test_a_recording_that_answers_on_every_task_is_accepted_and_its_coverage_said(tmp_path):
    path = replayed_study(tmp_path)
    assert problems(path) == []
    lines = replay_coverage(open_library(path))
    assert [line.partition(":")[0] for line in lines] == [
        f"recordings/full.jsonl in place of 'full' on {task}" for task in ("trio_timer", "trio_users")
    ]
    assert all(" exact, " in line and line.endswith(" none") for line in lines)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("turns", "said"),
    [
        (None, "assistants.full.recording: missing although assistant_policy says on_retirement"),
        ((), "recordings/full.jsonl has no answer on the task 'trio_timer', where 'full' is asked"),
        (({**TURNS[0], "task": "trio_users"},), "no answer on the task 'trio_timer'"),
        (({"message": KNOWN, "error": "timeout"},), "no answer on the task 'trio_users'"),
        (({"reply": "to nothing"},), "row 1, message: Field required"),
    ],
)
def test_a_recording_that_cannot_take_the_place_is_refused(tmp_path, turns, said):
    assert any(said in line for line in problems(replayed_study(tmp_path, turns)))


def test_a_recording_that_is_not_there_is_refused(tmp_path):
    path = replayed_study(tmp_path)
    (tmp_path / "recordings" / "full.jsonl").unlink()
    assert any("recordings/full.jsonl cannot be read" in line for line in problems(path))


def test_a_study_in_which_no_model_answers_has_nothing_to_replace(tmp_path):
    path = replayed_study(tmp_path)
    treatment = tmp_path / "assistants" / "full.toml"
    treatment.write_text('provider = "recorded"\n' + treatment.read_text().replace('provider = "claude"\n', ""))
    found = [str(one) for one in replay_problems(open_library(path))]
    assert len(found) == 1
    assert "no model answers in any arm" in found[0]


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        (TURNS, []),
        (
            ({**TURNS[0], "task": "sorting"},),
            ["no answer on the task 'trio_timer'", "no answer on the task 'trio_users'"],
        ),
        ((*TURNS, {"message": KNOWN, "replly": "A slip."}), ["row 3: has no reply, no steps and no error"]),
    ],
)
def test_a_recording_of_another_study_or_with_a_lost_reply_is_refused_where_it_alone_answers(tmp_path, turns, said):
    path = replayed_study(tmp_path, turns, policy="drift_probes = false\n")
    treatment = tmp_path / "assistants" / "full.toml"
    treatment.write_text('provider = "recorded"\n' + treatment.read_text().replace('provider = "claude"\n', ""))
    found = problems(path)
    assert len(found) == len(said)
    assert all(any(one in line for line in found) for one in said)


def test_the_recording_is_in_the_hash_only_where_it_is_to_answer(tmp_path):
    path = replayed_study(tmp_path)
    replays = open_library(path)
    assert "recordings/full.jsonl" in replays.materials()
    before = protocol_hash(replays.study, dict(replays.materials()))
    with (tmp_path / "recordings" / "full.jsonl").open("a") as file:
        file.write('{"message": "More", "reply": "Yes."}\n')
    again = open_library(path)
    assert protocol_hash(again.study, dict(again.materials())) != before
    path.write_text(path.read_text().replace('on_retirement = "replay"\n', ""))
    assert "recordings/full.jsonl" not in open_library(path).materials()
