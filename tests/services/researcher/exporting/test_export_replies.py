"""What became of the assistant's replies: code in them, what came into the programs, what was kept."""

from __future__ import annotations

import pytest
from support.clock import HandClock
from support.trials.export_world import Walker, open_app, scratch, settle, table

from study_app.dataset.measures.provenance import code_chars
from study_app.services.researcher.exporting.export import export

ASK = "Write the code for the timer task please"


def asker(app, clock) -> Walker:
    walker = Walker(app, clock).to_tasks().begin_tasks()
    while walker.arm != "ai":
        walker = Walker(app, clock).to_tasks().begin_tasks()
    return walker


def code_in(reply: str) -> str:
    return reply.split("```")[1].split("\n", 1)[1]


@pytest.fixture(scope="module")
def turns():
    """The turns of one person by what they did with the reply, and of one who is still at work."""
    folder, clock = scratch(), HandClock()
    app = open_app(folder, clock)
    walker = asker(app, clock)
    names = {}
    for name in ("kept", "cut", "removed", "typed", "left"):
        code = code_in(walker.ask(ASK if name != "typed" else "Write the whole program once more."))
        turn = names[name] = walker.turns()[-1]
        before = len(walker.text)
        if name == "typed":
            walker.replace_all(walker.text + "\n" + code)
        elif name != "left":
            walker.paste(code, "reply", turn_id=turn)
        if name == "cut":
            walker.edit(before, before + 10, "")
        elif name == "removed":
            walker.edit(before, len(walker.text), "")
        if name == "cut":
            walker.run()
            walker.submit()
            walker.open("trio_users")
    walker.submit()
    busy = asker(app, clock)
    busy.paste(code_in(busy.ask(ASK)), "reply", turn_id=busy.turns()[0])
    names["busy"] = busy.turns()[0]
    settle(app)
    export(app.context, folder / "d", include_preview=True)
    rows = {row["turn_id"]: row for row in table(folder / "d", "turns")}
    return {name: rows[turn] for name, turn in names.items()}


def amounts(row) -> tuple[str, ...]:
    return tuple(row[f"{name}_chars"] for name in ("inserted_pasted", "inserted_retyped", "kept"))


def test_a_paste_that_stays_is_kept_whole_and_one_that_is_cut_in_part(turns):
    pasted, retyped, kept = amounts(turns["kept"])
    assert (pasted, retyped) == (kept, "0")
    assert int(pasted) > 40
    pasted, retyped, kept = amounts(turns["cut"])
    assert (int(kept), retyped) == (int(pasted) - 10, "0")


def test_what_was_removed_or_never_taken_is_not_kept(turns):
    pasted, retyped, kept = amounts(turns["removed"])
    assert int(pasted) > 40
    assert kept == retyped  # The same code, typed afterwards, may count for this reply; what was pasted is gone.
    assert amounts(turns["left"]) == ("0", "0", "0")


def test_the_code_of_a_reply_is_counted_without_fences_and_before_anything_is_submitted(turns):
    assert int(turns["left"]["reply_code_chars"]) > 40
    assert int(turns["busy"]["reply_code_chars"]) > 40
    assert amounts(turns["busy"]) == ("", "", "")
    assert code_chars("Use:\n```python\na = 1\nb = 2\n```\nand `c`:\n```\nd") == len("a = 1\nb = 2") + 1
    assert code_chars("No code, only words.") == 0


def test_code_typed_after_a_reply_that_holds_it_counts_as_retyped_and_kept(turns):
    both = [turns["removed"], turns["typed"]]
    assert sum(int(row["inserted_retyped_chars"]) for row in both) > 100
    assert sum(int(row["kept_chars"]) for row in both) == sum(int(row["inserted_retyped_chars"]) for row in both)
