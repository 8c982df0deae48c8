"""The simulation's parts: typing that replays, programs with slips, a queue of transactions, repeatable runs."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.editing.edits import replay
from study_app.domain.errors import InfrastructureError
from study_app.domain.tasks.programs import Isolation, Program, RunResult
from study_app.simulation.batched_database import BatchedRegistry
from study_app.simulation.behaviour.program_edits import (
    code_blocks,
    functions_to_write,
    in_own_words,
    mistaken,
    place_of,
    source_of,
    stages_of,
)
from study_app.simulation.behaviour.task_plan import LONGEST_HURRY, Act, timed
from study_app.simulation.behaviour.typing import edit, typed, typed_characters
from study_app.simulation.cached_sandbox import Memory, RepeatingSandbox
from study_app.simulation.clock import START, arrivals, next_monday
from study_app.simulation.ids import SeededIds
from study_app.storage import open_registry

ROOT = Path(__file__).parents[2]
SOLUTIONS = {path.parent.name: path.read_text() for path in sorted(ROOT.glob("tasks/*/solution.py"))}
STARTERS = {path.parent.name: path.read_text() for path in sorted(ROOT.glob("tasks/*/starter.py"))}
TEXTS = st.text(alphabet="ab\n \U0001f600\u00e9x", max_size=60)


# -- typing ------------------------------------------------------------------------------------------------------------


@given(before=TEXTS, after=TEXTS, seed=st.integers(0, 99))
def test_typing_replays_to_the_text_that_was_wanted(before, after, seed):
    edits = list(typed("t", before, after, Random(seed)))
    assert replay(edits, before) == after
    assert all(len("".join(change.insert.split())) < 30 for each in edits for change in each.changes)


@given(before=TEXTS, insert=TEXTS, data=st.data())
def test_a_paste_replays(before, insert, data):
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, len(before)))
    made, after = edit("t", before, start, end, insert, ("paste", "input.paste"))
    assert replay([made], before) == after == before[:start] + insert + before[end:]
    assert (made.changes[0].deleted or "") == before[start:end]


def test_a_small_correction_is_a_small_edit():
    assert typed_characters("a\nawit trio.sleep(1)\nb\n", "a\nawait trio.sleep(1)\nb\n") == 1


# -- programs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", SOLUTIONS)
def test_other_words_are_the_same_program_up_to_names(task):
    for seed in range(12):
        renamed = in_own_words(SOLUTIONS[task], Random(seed))
        shapes = [[type(node).__name__ for node in ast.walk(ast.parse(text))] for text in (renamed, SOLUTIONS[task])]
        assert shapes[0] == shapes[1]


@pytest.mark.parametrize("task", SOLUTIONS)
def test_part_by_part_leads_from_the_starter_to_the_solution(task):
    stages = stages_of(STARTERS[task], SOLUTIONS[task])
    assert stages[-1] == SOLUTIONS[task]
    assert STARTERS[task] not in stages


@pytest.mark.parametrize("task", SOLUTIONS)
def test_every_shipped_program_can_be_mistaken(task):
    found = {mistaken(SOLUTIONS[task], Random(seed)) for seed in range(20)}
    assert None not in found
    assert SOLUTIONS[task] not in found


def test_code_of_a_reply_goes_where_its_functions_stand():
    starter, solution = STARTERS["trio_timer"], SOLUTIONS["trio_timer"]
    names = functions_to_write(starter, solution)
    assert names == ["timer", "delayed_greeting", "together"]
    reply = f"Like this:\n\n```python\n{source_of(solution, names)}\n```\nDone."
    [block] = code_blocks(reply)
    start, end = place_of(starter, block)
    assert starter[:start] + block + starter[end:] == solution


# -- time --------------------------------------------------------------------------------------------------------------


@given(seconds=st.floats(1, 3000), fixed=st.lists(st.floats(0, 200), min_size=1, max_size=20))
def test_acts_fill_the_time_exactly(seconds, fixed):
    acts = [Act("run", each) for each in fixed] + [Act("think", 0.0, weight=1.0)]
    done = timed(acts, seconds)
    assert sum(act.seconds for act in done) == pytest.approx(seconds)
    assert sum(act.seconds for act in done[:-1]) <= LONGEST_HURRY * seconds + 1e-6 or sum(fixed) <= seconds


def test_people_arrive_on_working_days_in_order():
    moments = arrivals(200, Random(3))
    assert moments == sorted(moments)
    assert min(moments) >= START
    assert {moment.weekday() for moment in moments} <= set(range(5))
    assert {moment.hour for moment in moments} <= set(range(8, 19))
    assert next_monday(START).weekday() == 0
    assert next_monday(START) > START


# -- identifiers -------------------------------------------------------------------------------------------------------


def test_identifiers_follow_from_the_seed_but_tokens_do_not():
    def three(seed):
        ids = SeededIds(seed)
        with ids.entering():
            person, token = ids(), ids()
        return person, token, ids()

    (person, token, run), (same, other, same_run) = three("7"), three("7")
    assert (person, run) == (same, same_run)
    assert token != other
    assert {person, run}.isdisjoint(three("8"))


def test_people_keep_their_identifiers_whatever_happens_between():
    quiet, busy = SeededIds("7"), SeededIds("7")
    busy()
    for ids in (quiet, busy):
        with ids.entering():
            ids.first = ids()
    assert quiet.first == busy.first


# -- transactions ------------------------------------------------------------------------------------------------------


def test_transactions_are_committed_together(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    real, other = open_registry(url), open_registry(url)
    batches = BatchedRegistry(real, commit_after=3)

    def seen():
        with other.begin(write=False) as unit:
            return unit.meta("x")

    for number in range(4):
        with batches.begin() as unit:
            unit.set_meta("x", str(number))
        assert seen() == (None, None, "2", "2")[number]
    batches.commit()
    assert seen() == "3"
    assert batches.submit(lambda unit: unit.meta("x")).result(0) == "3"


def test_a_failure_undoes_the_batch_and_stops_the_simulation(tmp_path):
    real = open_registry(f"sqlite:///{tmp_path}/s.db")
    batches = BatchedRegistry(real)
    with batches.begin() as unit:
        unit.set_meta("x", "1")
    with pytest.raises(ZeroDivisionError), batches.begin() as unit:
        unit.set_meta("x", str(1 / 0))
    with pytest.raises(InfrastructureError, match="earlier step"), batches.begin():
        pass
    with real.begin() as unit:
        assert unit.meta("x") is None


# -- runs --------------------------------------------------------------------------------------------------------------


class CountingSandbox:
    """Prints an address that is another each time."""

    def __init__(self) -> None:
        self.programs = []

    def isolation(self):
        return Isolation("strong", "counts only")

    def run(self, program, on_line=None, cancelled=None):
        self.programs.append(program)
        text = f"<coroutine object timer at {hex(140_000_000 + len(self.programs))}>"
        return RunResult(text, "", (), 0, "exit", 0.1, "strong", program.seed or 0, "TypeError", text)

    def close(self) -> None:
        pass


def test_equal_programs_run_once_by_the_virtual_clock_and_print_no_addresses():
    real = CountingSandbox()
    sandbox = RepeatingSandbox(real)
    first, second = sandbox.run(Program("x")), sandbox.run(Program("x"))
    assert first == second
    assert first.error_message == "<coroutine object timer at 0x000000000000>"
    assert [(program.clock, program.seed) for program in real.programs] == [("virtual", first.scheduler_seed)]


def test_what_differs_in_text_input_or_seed_is_run_again():
    real = CountingSandbox()
    sandbox = RepeatingSandbox(real)
    call = {"function": "f", "args": [1], "nonce": "a"}
    plain = Program("x", seed=1, call=call)
    for program in (plain, replace(plain, call=call | {"nonce": "b"})):
        sandbox.run(program)
    assert len(real.programs) == 1
    for program in (replace(plain, seed=2), replace(plain, code="y"), replace(plain, call=call | {"args": [2]})):
        sandbox.run(program)
    assert len(real.programs) == 4


def test_a_memory_spares_later_simulations_the_programs_of_earlier_ones_and_forgets_the_oldest():
    real, memory = CountingSandbox(), Memory(size=2)
    first = RepeatingSandbox(real, memory).run(Program("x"))
    assert RepeatingSandbox(real, memory).run(Program("x")) == first
    assert RepeatingSandbox(real).run(Program("x")) == first
    assert len(real.programs) == 2, "without the memory it is run again"
    for code in ("y", "z", "x"):
        RepeatingSandbox(real, memory).run(Program(code))
    assert len(real.programs) == 5
    assert len(memory) == 2
