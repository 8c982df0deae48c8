"""What a sealed study's exports withhold, and that nothing in them tells an arm."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta

import pytest
from support.clock import HandClock
from support.trials.agent_study import AgentPage
from support.trials.export_world import Walker, copy_of, open_app, table, trial
from support.trials.rich_study import rich_study

from study_app.dataset.redaction import LEDGER_COLUMNS
from study_app.dataset.schema import REVEALING, moment
from study_app.dataset.verification import verify
from study_app.domain.events.server import Outage
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.participant.probing.asking import ProbeAnswer
from study_app.services.researcher.exporting.export import export

SEALED = ("launched", "closed")


def manifest(state: str) -> dict:
    return json.loads((trial().dataset(state) / "manifest.json").read_text(encoding="utf-8"))


def test_a_running_study_shows_no_arm_stratum_or_allocation():
    dataset = trial().dataset("launched")
    for row in table(dataset, "participants"):
        assert row["arm"] == row["stratum"] == row["allocation_index"] == ""
    assert table(dataset, "allocations") == []
    assert manifest("launched")["masked"]
    assert "revealed_seed" not in manifest("launched")


@pytest.mark.parametrize("state", SEALED)
def test_what_differs_by_arm_is_withheld(state):
    dataset = trial().dataset(state)
    assert table(dataset, "turns") == table(dataset, "compliance") == []
    for row in table(dataset, "participants"):
        assert all(row[name] == "" for name in ({*REVEALING, "feedback", "other_ai_used"} & row.keys()))
    for row in table(dataset, "runs"):
        assert row["stage"] == "warmup" or row["code"] == row["stdout"] == row["stderr"] == row["page"] == ""
    kinds = {row["kind"] for row in table(dataset, "events")}
    assert not kinds & {"allocated", "turn_started", "turn_ended", "copy_reply", "compose_start", "send_pressed"}
    answers = [row for row in table(dataset, "answers") if row["item"] in ("feedback", "other_ai_used")]
    assert answers
    assert {row["response"] for row in answers} == {""}


@pytest.mark.parametrize("state", SEALED)
def test_outcomes_of_a_sealed_study_stay_for_the_dry_run(state):
    done = [row for row in table(trial().dataset(state), "participants") if row["status"] == "completed"]
    assert done
    assert all(row["quiz_points"] and row["completion_minutes"] and row["errors"] for row in done)


def test_no_file_of_a_sealed_export_holds_a_reply_or_the_seed():
    with sqlite3.connect(trial().folder / "study.db") as database:
        replies = [reply for (reply,) in database.execute("SELECT reply FROM turns")]
        seed = database.execute("SELECT value FROM meta WHERE key = 'revealed_seed'").fetchone()[0]
        sealed = database.execute("SELECT value FROM meta WHERE key = 'sealed_seed'").fetchone()[0]
    assert replies
    for state in SEALED:
        for path in trial().dataset(state).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not any(reply.encode() in content for reply in replies), path
            assert seed.encode() not in content
            assert sealed.encode() not in content


@pytest.mark.parametrize("state", SEALED)
def test_numbers_of_events_tell_nothing_of_what_is_withheld(state):
    ids = [int(row["event_id"]) for row in table(trial().dataset(state), "events")]
    assert ids == list(range(1, len(ids) + 1))
    shown = {}
    for row in table(trial().dataset(state), "events"):
        shown.setdefault(row["participant_id"], []).append(row["kind"])
    completed = [row["participant_id"] for row in table(trial().dataset(state), "participants") if row["quiz_points"]]
    assert len({tuple(shown[name]) for name in completed}) == 1


def test_a_closed_study_shows_masked_arms_that_stay_and_group_as_the_true_ones():
    masked = {row["participant_id"]: row["arm"] for row in table(trial().dataset("closed"), "participants")}
    true = {row["participant_id"]: row["arm"] for row in table(trial().dataset("unsealed"), "participants")}
    assert set(masked.values()) == {"arm_a", "arm_b", ""}
    assert len({(masked[name], true[name]) for name in masked}) == 3
    for row in table(trial().dataset("closed"), "allocations"):
        assert row["arm"] == masked[row["participant_id"]]
        assert all(row[name] == "" for name in LEDGER_COLUMNS)


def test_the_masks_names_do_not_follow_from_what_is_public(tmp_path):
    """Another sealed seed, everything public the same: over several, either arm is called arm_a."""
    from study_app.services.researcher.exporting.trial_facts import mask_of

    base = trial()
    studies = [base.app.context.study]
    first = set()
    for number in range(40):
        with base.app.context.registry.begin() as unit:
            kept = unit.meta("sealed_seed")
            unit.set_meta("sealed_seed", f"another {number}")
            first.add(mask_of(unit, "closed", studies).arms["ai"])
            unit.set_meta("sealed_seed", kept or "")
    assert first == {"arm_a", "arm_b"}


@pytest.mark.parametrize("state", SEALED)
def test_time_that_an_outage_of_the_assistant_gave_back_tells_no_arm(tmp_path, state):
    base = trial()
    later = "UPDATE visits SET deadline_at = deadline_at + 240000 WHERE stage = 'tasks'"
    app = copy_of(base, tmp_path, f"UPDATE meta SET value = '{state}' WHERE key = 'state'", later)
    with app.context.registry.begin() as unit:
        for person in unit.participants_of("real"):
            if unit.visit(person.id, "tasks") is not None:
                unit.record(person.id, "tasks", app.context.now(), Outage(turn_id="none", seconds=240))
    export(app.context, tmp_path / "dataset")
    app.close()
    limits = [row for row in table(tmp_path / "dataset", "visits") if row["stage"] == "tasks"]
    spans = {moment(row["deadline_at"]) - moment(row["started_at"]) for row in limits}
    assert spans == {timedelta(minutes=35)}
    minutes = [float(row["completion_minutes"] or 0) for row in table(tmp_path / "dataset", "participants")]
    assert max(minutes) == 35
    # The test wrote to the database itself, which is found; nothing else is.
    assert set(verify(tmp_path / "dataset").counts) == {"row_differs_from_chain"}


def test_the_readme_names_every_table_and_column_that_a_sealed_dataset_lacks(tmp_path):
    study = rich_study(tmp_path)
    study.write_text(study.read_text().replace('entry = "open"', 'entry = "links"'))
    app = open_app(tmp_path, clock := HandClock(), study)
    app.lifecycle.launch()
    for link in app.links.create(labels=[f"class{number}" for number in range(4)]):
        walker = Walker(app, clock, EntryRequest(link=link.secret))
        app.session.where(walker.id)
        app.session.consent(walker.id, True)
        app.answers.submit_survey(walker.id, "background", {"share_words": "yes", "notes": "none"})
        app.session.continue_(walker.id, "instructions")
        walker.begin_tasks()
        clock.advance(minutes=2)
        app.probes.show(walker.id, walker.page)
        app.probes.end(walker.id, walker.page, 2, ProbeAnswer(valence=3, arousal=7, calm_desperate=80))
        if walker.arm.startswith("each"):
            AgentPage(walker, lambda frame: "stop").ask()
        walker.submit()
        app.session.withdraw(walker.id, False)
    export(app.context, tmp_path / "launched")
    app.lifecycle.close("enough")
    export(app.context, tmp_path / "closed")
    app.lifecycle.unseal("analysis begins")
    export(app.context, tmp_path / "unsealed")
    app.close()
    whole = {
        name: table(tmp_path / "unsealed", name)
        for name in ("participants", "turns", "agent_actions", "runs", "probes")
    }
    assert all(whole.values())
    for state in SEALED:
        held = json.loads((tmp_path / state / "manifest.json").read_text(encoding="utf-8"))["withheld"]
        readme = (tmp_path / state / "README.md").read_text(encoding="utf-8")
        for name, rows in whole.items():
            shown = table(tmp_path / state, name)
            if not shown:
                assert name in held["tables"]
                assert f"- table `{name}`" in readme
                continue
            had = {column for row in rows for column, cell in row.items() if cell}
            has = {column for row in shown for column, cell in row.items() if cell}
            assert had - has <= set(held["columns"][name]), name
            assert set(held["columns"][name]) <= set(rows[0]), name


def test_previews_are_never_masked(tmp_path):
    app = copy_of(trial(), tmp_path, "UPDATE meta SET value = 'launched' WHERE key = 'state'")
    export(app.context, tmp_path / "dataset", include_preview=True)
    app.close()
    for row in table(tmp_path / "dataset", "participants"):
        assert bool(row["arm"]) == (row["is_preview"] == "1")
    assert {row["ledger"] for row in table(tmp_path / "dataset", "allocations")} == {"preview"}


def test_an_unsealed_study_shows_everything_and_its_seed():
    assert {row["arm"] for row in table(trial().dataset("unsealed"), "participants")} == {"ai", "no_ai", ""}
    assert len(manifest("unsealed")["revealed_seed"]) == 64
    assert not manifest("unsealed")["masked"]
    assert manifest("unsealed")["turn_seconds"]["n"] == len(table(trial().dataset("unsealed"), "turns"))


@pytest.mark.parametrize("change", ["error = 'timeout'", "total_seconds = NULL"])
def test_times_of_replies_are_those_of_replies_that_came_to_their_end(tmp_path, change):
    # How many replies there are hangs on the drawn arms; one there is always.
    turn = table(trial().dataset("unsealed"), "turns")[0]["turn_id"]
    app = copy_of(trial(), tmp_path, f"UPDATE turns SET {change} WHERE id = '{turn}'")
    export(app.context, tmp_path / "dataset", include_preview=True)
    app.close()
    counted = json.loads((tmp_path / "dataset" / "manifest.json").read_text())["turn_seconds"]["n"]
    assert counted == len(table(tmp_path / "dataset", "turns")) - 1
