"""What an agent's card shows is not from outside, wherever it is copied, pasted, edited or typed off the page."""

from __future__ import annotations

import pytest

from study_app.domain.editing.clipboard import Pasteboard
from study_app.domain.editing.provenance import Reply, Tracker
from study_app.domain.events.browser import Edit, Load, PasteAttempt, TextCopied
from study_app.domain.events.changes import Change
from study_app.domain.events.server import AgentProposed, TurnStarted

NEW = "    async with trio.open_nursery() as nursery:\n        nursery.start_soon(child, 1)\n"
ELSEWHERE = "    # from another chat\n    import trio\n    trio.run(main, strict=True)\n"
REPORT = "I open a nursery and start the child in it."


def step(tool: str = "edit", **texts: str) -> AgentProposed:
    return AgentProposed(
        action_id=tool, turn_id="T", task="k", step=1, tool=tool, input=texts, base_sha256="", waits=True, start=0,
        end=0, length=0, line=1, model=None, input_tokens=None, output_tokens=None, said_chars=0,
    )  # fmt: skip


def tracked(*events, old: str = "") -> Tracker:
    """A program whose agent wants to put in NEW, and has reported."""
    tracker = Tracker("k", "", replies=[Reply("T", "")])
    tracker.feed("p", Load(task="k", text="", source="starter"))
    tracker.feed("s", TurnStarted(turn_id="T", task="k", model="m"))
    tracker.feed("s", step("report", summary=REPORT))
    tracker.feed("s", step(old=old, new=NEW))
    for event in events:
        tracker.feed("p", event)
    return tracker


def pasted(text: str, origin: str, **more: str) -> PasteAttempt:
    return PasteAttempt(text=text, length=len(text), origin=origin, target="editor", how="paste", **more)


def put(text: str, how: str = "paste", at: int = 0, of: int = 0, **more: str) -> Edit:
    return Edit(task="k", changes=(Change(at, at, text),), how=how, length=of + len(text), **more)


def counts(tracker: Tracker) -> dict[str, int]:
    return {source: count for source, count in tracker.attribution().counts().items() if count}


@pytest.mark.parametrize("text", [NEW, NEW.splitlines()[1], REPORT])
@pytest.mark.parametrize("origin", ["outside", "message"])
def test_a_copy_from_a_card_or_from_the_box_of_a_proposal_is_the_assistants(text, origin):
    copied = TextCopied(text=text, length=len(text), origin=origin)
    assert counts(tracked(copied, pasted(text, origin), put(text))) == {"assistant": len(text)}
    board = Pasteboard()
    for event in (step(new=NEW), step("report", summary=REPORT), pasted(text, origin)):
        board.feed(event)
    assert not board.is_foreign(pasted(text, origin))
    assert board.is_foreign(pasted(ELSEWHERE, "outside"))


def test_what_was_pasted_into_a_proposal_keeps_its_origin_and_what_was_typed_there_is_typed():
    typed, line = "    x = 1\n", NEW.splitlines(keepends=True)[0]
    before = pasted("    y = 2\n", "outside")
    tracker = tracked(pasted(ELSEWHERE, "outside"), put(line + ELSEWHERE + typed, "agent", action_id="edit"))
    assert counts(tracker) == {"agent": len(line), "outside": len(ELSEWHERE), "typed": len(typed)}
    # What was pasted before the step was proposed is not looked for in it.
    tracker = Tracker("k", "", replies=[Reply("T", "")])
    for event in (Load(task="k", text="", source="starter"), before, TurnStarted(turn_id="T", task="k", model="m")):
        tracker.feed("p", event)
    tracker.feed("s", step(old="", new=NEW))
    tracker.feed("p", put(f"{NEW}    y = 2\n", "agent", action_id="edit"))
    assert counts(tracker) == {"agent": len(NEW), "typed": 10}


def test_text_from_outside_stays_so_by_way_of_the_box_of_a_proposal():
    board = Pasteboard()
    for event in (step(new=NEW), pasted(ELSEWHERE, "outside")):
        board.feed(event)
    assert board.is_foreign(TextCopied(text=ELSEWHERE, length=len(ELSEWHERE), origin="message"))


def test_a_proposal_that_is_typed_off_the_card_is_retyped_and_lines_that_were_there_are_not():
    mine = "value = compute(first, second, third_argument)\n"

    def typed(tracker: Tracker, text: str) -> dict[str, int]:
        for at, char in enumerate(text):
            tracker.feed("p", put(char, "typed", at, at))
        return counts(tracker)

    assert typed(tracked(), NEW)["retyped"] >= len(NEW) - 3
    assert typed(tracked(old=NEW), mine) == {"typed": len(mine)}
    assert "retyped" not in typed(tracked(old=NEW), NEW)


def test_moving_what_the_agent_wrote_keeps_it_the_agents():
    applied = put(NEW, "agent", action_id="edit")
    first, second = (line.strip() for line in NEW.splitlines())
    two = f"{first}\n{second}"
    copied = TextCopied(text=two, length=len(two), origin="editor")
    tracker = tracked(applied, copied, pasted(two, "editor"), put(two, at=len(NEW), of=len(NEW)))
    assert counts(tracker) == {"agent": len(NEW) + len(two)}
    cut = Edit(task="k", changes=(Change(0, len(NEW), ""),), how="cut", length=0)
    narrow = NEW.replace("    ", "  ")
    assert counts(tracked(applied, cut, pasted(NEW, "editor"), put(narrow))) == {"agent": len(narrow)}
