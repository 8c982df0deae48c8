"""Reports that no runner writes, and a bomb of threads: none is a pass, none keeps programs from their grading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox.busy_machine import busy
from support.trials.console_trial import Trial

from study_app.content.task_packs import load_pack
from study_app.domain.tasks.programs import Program
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.grading import grade
from study_app.services.grading.output import Output, output_of, quiz_program

WARMUP = load_pack(Path(__file__).parents[2] / "tasks" / "warmup")
NUMBER, DEEP = "1" + "0" * 400, "[" * 900 + "]" * 900
DICT, MANY = '{"a":', ", ".join(['[0.1, "x"]'] * 5000)
OBSERVED = [
    f'{{"value": {{"$float": {NUMBER}}}}}', '{"value": {"$exception": []}}', f'{{"value": {DEEP}}}', '{"value": NaN}',
    f'{{"seconds": {NUMBER}}}', f'{{"longest_step": {NUMBER}}}', f'{{"lines": [[{NUMBER}, "x"]]}}', '{"lines": [[]]}',
    '{"lines": [1, null, "x"]}', '{"lines": {"a": 1}}', '{"threads": -1e999}', '{"blocked_seconds": "long"}', "[]", "1",
    '{"value": {"$set": [1, 1, [2]]}}', '{"value": {"$float": "nan"}}', '{"value": {"$bytes": "?"}}', "null", '"x"',
    '{"value": {"$unknown": {"$unknown": 1}}}', '{"used": 3}', '{"error": 7}', '{"value": "\\ud800"}', "true",
    '{"nonce": "x", "value": 1}', '{"nonce": [1], "value": 1}', '{"value": "Infinity", "seconds": Infinity}',
    '{"lines": [[-5, "x"], [1e9, "y"], [0, "z"]]}', f'{{"value": {DEEP.replace("[", DICT).replace("]", "}")}}}',
    '{"seconds": true, "threads": "0", "value": 1}', '{"used": {"trio.open_nursery": 1000000000}, "value": null}',
    '{"value": {"$float": {"$float": "1.0"}}}', f'{{"lines": [{MANY}]}}',
    '{"value": {"$exception": ["E"], "$set": [1]}}',
    '{"value": {"$tuple": {"$list": {"$dict": [[1]]}}}}', '{"\\u0076alue": true}',
]  # fmt: skip
WHOLE = [
    f'{{"error": {{"type": "E", "message": "m", "line": {NUMBER}}}}}', '{"error": []}', '{"error": {"type": 1}}',
    '{"left": "yes"}', '{"observation": 1, "observation": {}}', "", "\x00", "{", DEEP, f'{{"error": {NUMBER}}}',
    '\ufeff{"observation": {}}', '{"observation": {}}' + " " * 200_000, '[["observation", {}]]', '"\\u0000"',
    '{"observation": {}}{"observation": {"value": 1}}',
]  # fmt: skip
FORGED = [*(f'{{"observation": {one}}}' for one in OBSERVED), *WHOLE]
SEND = """
import os, sys
frame, nonce = sys._getframe(), None
while frame:
    job = frame.f_locals.get("job")
    if isinstance(job, dict) and job.get("call"): nonce = job["call"].get("nonce")
    frame = frame.f_back
text = {text!r}
if text.startswith('{{"observation": {{'):
    text = text.replace('{{"observation": {{', '{{"observation": {{"nonce": "%s", ' % nonce, 1)
data = text.encode("utf-8", "surrogatepass")
for start in range(0, max(len(data), 1), 4000):
    part = data[start : start + 4000]
    os.write(3, b"\\x03" + len(part).to_bytes(2, "little") + part)
os._exit(0)
"""
NEVER_READY = 'import os\nos.write(3, b"\\x03\\x01\\x00\\x02")\nprint("went on")\n'
"""A report that begins as the one of a child whose walls could not be put up."""
BOMB = """
import threading, time
def start():
    while True:
        try: threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        except (RuntimeError, MemoryError): time.sleep(0.01)
start()
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


def refused(sandbox: LocalSandbox, code: str) -> None:
    graded = grade(sandbox, WARMUP, code, run_seed=5, seeds=1)
    assert not graded.complete
    assert [check.passed for check in graded.checks] == [False] * len(graded.checks), "a verdict stayed open"


def test_there_are_fifty_forged_reports():
    assert len(set(FORGED)) >= 50
    assert sum(_is_json(text) for text in FORGED) > 20


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@pytest.mark.parametrize(
    "text", [pytest.param(text, marks=[pytest.mark.slow] if number % 12 else []) for number, text in enumerate(FORGED)]
)
def test_a_forged_report_passes_nothing_and_leaves_no_verdict_open(sandbox, text):
    refused(sandbox, SEND.format(text=text))


def test_a_run_that_reports_that_it_never_began_ends_as_the_doing_of_its_program(sandbox):
    for end, status in (("", 0), ("os._exit(70)\n", 70)):
        result = sandbox.run(Program(NEVER_READY + end))
        assert (result.ended_by, result.exit_status) == ("exit", status)
    refused(sandbox, NEVER_READY + WARMUP.solution)
    assert output_of(sandbox, quiz_program(NEVER_READY, ())) == Output("went on\n", 0)


def test_who_submits_such_a_program_is_shown_the_examples_that_fail(sandbox, tmp_path):
    trial = Trial(tmp_path, launched=True)
    trial.app.context.sandbox = sandbox
    who = trial.enter()
    trial.to_tasks(who)
    trial.app.session.begin_stage(who, "tasks")
    submitted = trial.app.submitting.submit(who, NEVER_READY)
    assert not submitted.accepted
    assert submitted.checks
    trial.close()


@pytest.mark.slow
def test_after_all_of_them_an_honest_program_passes(sandbox):
    for text in FORGED[:5]:
        refused(sandbox, SEND.format(text=text))
    assert grade(sandbox, WARMUP, WARMUP.solution, run_seed=5, seeds=1).complete


@pytest.mark.slow
def test_a_bomb_of_threads_fails_and_is_never_without_a_verdict_on_a_busy_machine(sandbox):
    with busy(4):
        for _ in range(3):
            refused(sandbox, BOMB)
            refused(sandbox, WARMUP.solution + BOMB)
