"""The timeline of a participant gives back every text, and the player's rules hold in the page's own language too."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.console_trial import ROOT, Trial, busy, work

from study_app.domain.editing.edits import apply
from study_app.domain.events import BrowserEvent, Event
from study_app.domain.events.changes import Change
from study_app.services.researcher.replay.material import ordered
from study_app.services.researcher.replay.swimlanes import PAUSE, typing_spells
from study_app.services.researcher.replay.timeline import timeline

PLAYER = ROOT / "study_app" / "ui" / "components" / "replay" / "replay.js"


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("replay"), launched=True)
    made.people = busy(made, 6)
    yield made
    made.close()


@pytest.fixture(scope="module")
def worked(trial):
    """A participant who has typed, run and submitted."""
    return timeline(trial.app.context, trial.people[5])


def played(frames: list[dict], task: str) -> list[str]:
    """The text after each frame of a task."""
    text, found = "", []
    for frame in frames:
        if frame.get("task") != task:
            continue
        if frame["kind"] == "text":
            text = frame["text"]
        elif frame["kind"] == "edit":
            text = apply(text, [Change(*change) for change in frame["changes"]])
        found.append(text)
    return found


def test_nobody_has_no_timeline(trial):
    assert timeline(trial.app.context, "unknown") is None


def test_a_timeline_is_json_in_order_of_time(worked):
    assert json.loads(json.dumps(worked))["participant"] == worked["participant"]
    moments = [frame["t"] for frame in worked["frames"]]
    assert moments == sorted(moments)
    assert worked["seconds"] == moments[-1]


def test_the_deltas_give_the_text_of_every_run(worked):
    for run in (frame for frame in worked["frames"] if frame["kind"] == "run"):
        so_far = [frame for frame in worked["frames"] if frame["t"] <= run["t"]]
        assert played(so_far, run["task"])[-1].startswith("import trio")


def test_a_gap_in_the_log_is_shown_and_mended_at_the_next_run(tmp_path):
    trial = Trial(tmp_path, launched=True)
    who = trial.enter()
    trial.to_tasks(who)
    trial.write(who, "trio_timer", "abc", "page")
    wrong = {"task": "trio_timer", "kind": "typed", "changes": [{"from": 90, "to": 91, "insert": "x"}], "length": 3}
    trial.send(who, "page", 5, "edit", wrong)
    trial.run(who, "trio_timer", "abcdef")
    frames = timeline(trial.app.context, who)["frames"]
    kinds = [frame["kind"] for frame in frames if frame.get("task") == "trio_timer"]
    assert "gap" in kinds
    assert played(frames, "trio_timer")[-1] == "abcdef"
    trial.close()


def test_what_was_pasted_from_a_reply_is_marked_so(trial):
    who = trial.someone_in("ai")
    work(trial, who)
    frames = timeline(trial.app.context, who)["frames"]
    (paste,) = [frame for frame in frames if frame.get("how") == "paste"]
    assert {source for _, source in paste["spans"]} == {"typed", "assistant"}
    assert "gap" not in {frame["kind"] for frame in frames}


def test_lanes_say_when_the_window_was_away(worked):
    (spell,) = worked["lanes"]["away"]
    assert spell[1] - spell[0] == pytest.approx(40, abs=1)


@given(st.lists(st.floats(0, 1000), max_size=40).map(sorted))
def test_spells_of_typing_cover_every_edit_and_never_touch(edits):
    spells = typing_spells(edits)
    assert all(any(low <= edit <= high for low, high in spells) for edit in edits)
    assert all(after[0] - before[1] >= PAUSE for before, after in zip(spells, spells[1:], strict=False))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100)), max_size=20))
def test_the_events_of_a_page_keep_their_order_whatever_its_clock_says(marks):
    events = [Event("p", page, number, "edit", "tasks", None) for number, (page, _) in enumerate(marks)]
    placed = ordered(events, [at for _, at in marks])
    assert [at for at, _ in placed] == sorted(at for at, _ in placed)
    for page in "ab":
        numbers = [event.seq for _, event in placed if event.page == page]
        assert numbers == sorted(numbers)


SCRIPT = """
import { readFileSync } from "node:fs";
const [player, input] = process.argv.slice(1);
const source = `data:text/javascript,${encodeURIComponent(readFileSync(player, "utf8"))}`;
const { Texts, lastAt, revealed } = await import(source);
const { frames, order } = JSON.parse(input);
const texts = new Texts(frames, "t");
const found = order.map((index) => {
  const state = texts.at(index);
  const covered = state.pieces.reduce((sum, [length]) => sum + length, 0);
  if (covered !== state.text.length) throw new Error(`pieces cover ${covered} of ${state.text.length}`);
  return state.text;
});
const half = revealed({ reply: "abcd", first: 0, ended: 2 }, 1);
console.log(JSON.stringify({ found, last: lastAt(frames, 3.5), half }));
"""


def test_the_player_shows_the_same_texts_forwards_and_backwards():
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed; the browser test plays a session")
    frames = [{"t": 0, "kind": "text", "task": "t", "text": "start", "spans": [[5, "starter"]]}]
    texts = ["start"]
    for number in range(1, 300):
        start = (number * 7) % (len(texts[-1]) + 1)
        end, insert = min(len(texts[-1]), start + number % 3), "x" * (number % 4)
        frames.append({"t": number, "kind": "edit", "task": "t", "how": "typed", "changes": [[start, end, insert]]})
        texts.append(texts[-1][:start] + insert + texts[-1][end:])
    order = [0, 299, 150, 151, 64, 63, 0, 298, 128, 5, 299]
    command = [node, "--input-type=module", "-e", SCRIPT, str(PLAYER), json.dumps({"frames": frames, "order": order})]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"found": [texts[index] for index in order], "last": 3, "half": "ab"}


def test_evidence_on_compliance_stands_on_the_clock_of_the_replay(trial):
    who = trial.people[5]
    with trial.app.context.registry.begin(write=False) as unit:
        person = unit.participant(who)
        seq = max(event.seq for event in unit.events(who) if event.page == person.page) + 1
    (away,) = [row for row in timeline(trial.app.context, who)["evidence"] if row["kind"] == "away"]
    assert (away["kind"], away["stage"], away["threshold"], away["breaks"]) == ("away", "tasks", None, False)
    moment = trial.clock.now()
    paste = {"text": "x" * 300, "length": 300, "from": "outside", "target": "editor", "how": "paste"}
    event = BrowserEvent(seq=seq, kind="paste_attempt", client_time_ms=moment.timestamp() * 1000, payload=paste)
    with trial.app.context.registry.begin() as unit:
        unit.store_batch(who, person.page, "tasks", moment, [event])
    (piece,) = [row for row in timeline(trial.app.context, who)["evidence"] if row["kind"] == "outside_paste"]
    assert (piece["amount"], piece["threshold"], piece["breaks"]) == (300, 200, True)
    assert piece["t"] == pytest.approx((moment - person.enrolled_at).total_seconds(), abs=1)


def test_a_lid_that_was_closed_is_away_on_the_timeline_and_in_the_evidence_alike(tmp_path):
    trial = Trial(tmp_path, launched=True)
    who = trial.enter()
    trial.to_tasks(who)
    trial.send(who, "page", 1, "heartbeat")
    trial.clock.advance(minutes=10)
    trial.send(who, "page", 2, "heartbeat")
    for task in ("trio_timer", "trio_users"):
        trial.app.submitting.submit(who, "print(1)\n", confirm=True, task=task)
    found = timeline(trial.app.context, who)
    (spell,) = found["lanes"]["away"]
    (piece,) = [row for row in found["evidence"] if row["kind"] == "away"]
    assert spell[1] - spell[0] == pytest.approx(piece["amount"] * (60 if piece["unit"] == "minutes" else 1), abs=0.1)
    assert spell[0] == pytest.approx(piece["t"], abs=0.1)
    trial.close()
