"""Who fell silent before a trial was unsealed, or a wave locked, changes nothing in it by coming back."""

from __future__ import annotations

import csv
import re
from functools import partial
from pathlib import Path

import pytest
from support.databases import POSTGRES_IS_SLOW
from support.trials.console_trial import ELIGIBLE, Trial, answers
from support.trials.waves import STUDY, Waves

from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.domain.events import Batch
from study_app.domain.records import Participant
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.position import Ended
from study_app.services.researcher.exporting.export import export

DAY = 60 * 24
ONE_SESSION = re.sub(r'\[\[sessions\]\]\nid = "later".*?(?=\[\[stages)', "", STUDY, flags=re.S)
ONE_SESSION = re.sub(r'\[\[stages\]\]\nid = "then".*?(?=\[\[stages\]\]\nid = "debrief")', "", ONE_SESSION, flags=re.S)
ONE_SESSION = (
    ONE_SESSION.replace('session = "later"\n', "")
    .replace(', "score_then"', "")
    .split('[[analysis.outcomes]]\nid = "score_then"')[0]
)
AGAIN = """[second_decision]
stage = "once_more"
responds = "score_now >= 4"
block_sizes = [2]
[[second_decision.treatments]]
id = "stay"
[[second_decision.treatments]]
id = "longer"
instructions = "Read it all once more."
[recruitment]"""


@pytest.fixture
def trial(tmp_path, database_url):
    made = Trial(tmp_path, launched=True, database=database_url)
    yield made
    made.close()


def person(app, who: str) -> Participant:
    with app.context.registry.begin(write=False) as unit:
        return unit.known_participant(who)


def arms_given(app) -> int:
    with app.context.registry.begin(write=False) as unit:
        return len(unit.allocations("real"))


def exported(app, folder: Path) -> dict[str, list[dict[str, str]]]:
    """Export and verify; the rows of each table."""
    export(app.context, folder)
    report = verify(folder)
    assert report.ok, report.lines()
    tables = {}
    for path in sorted((folder / "data").glob("*_data.csv")):
        with path.open(newline="", encoding="utf-8") as handle:
            tables[path.name.split("description-")[1]] = list(csv.DictReader(handle))
    return tables


def after_consent(trial: Trial) -> str:
    (link,) = trial.app.links.create(1)
    who = trial.app.enrol.enter(EntryRequest(link=link.secret)).participant.id
    trial.app.session.where(who)
    trial.app.session.consent(who, True)
    trial.app.answers.submit_survey(who, "eligibility", ELIGIBLE)
    return who


@POSTGRES_IS_SLOW
def test_a_published_seed_gives_no_arm_to_who_comes_back_and_what_was_given_stays_as_it_was(trial, tmp_path):
    app = trial.app
    working, waiting = trial.enter(), after_consent(trial)
    trial.to_tasks(working)
    trial.write(working, "trio_timer", "import trio\n", "before")
    given = arms_given(app)
    trial.clock.advance(hours=49)
    app.lifecycle.close("enough")
    assert app.lifecycle.unseal("analysis begins") == 2
    before = exported(app, tmp_path / "before")
    # The deadline of the tasks had passed without a server: what stood on the screen is handed in all the same.
    assert [row["code"] for row in before["runs_data.csv"] if row["task"] == "trio_timer"] == ["import trio\n"]
    for row in before["participants_data.csv"]:
        assert (row["status"], row["away_minutes"]) in {("abandoned", ""), ("abandoned", "0")}

    assert isinstance(app.session.where(waiting), Ended)
    app.session.continue_(waiting, "device")
    app.answers.submit_survey(waiting, "background", answers(app, "background"))
    assert isinstance(app.session.begin_stage(waiting, "warmup"), Ended)
    assert isinstance(app.session.where(working), Ended)
    with pytest.raises(NotAllowed):
        app.submitting.submit(working, "import trio\n", confirm=True)
    trial.clock.advance(minutes=2 * DAY)
    app.session.sweep()
    assert arms_given(app) == given
    assert exported(app, tmp_path / "after") == before


@POSTGRES_IS_SLOW
@pytest.mark.parametrize("sweeps", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_dataset_verifies_where_a_deadline_was_kept_late_on_the_way_to_an_arm(trial, tmp_path, sweeps):
    app = trial.app
    who = trial.enter()
    trial.to_warmup(who)
    trial.clock.advance(minutes=10, seconds=0.7)
    if sweeps:
        app.session.sweep()
        assert (person(app, who).stage, person(app, who).allocated_at) == ("instructions", trial.clock.now())
    trial.clock.advance(hours=49)
    app.lifecycle.close("enough")
    # Without a sweep this is what keeps the deadline, and allocates.
    assert app.lifecycle.unseal("analysis begins") == 1
    (row,) = exported(app, tmp_path / "out")["participants_data.csv"]
    assert (row["status"], row["finished_at"]) == ("abandoned", row["allocated_at"])


@pytest.mark.parametrize("locks", ["close --wave", "unseal"])
def test_who_is_excluded_and_works_is_waited_for_like_anyone_else(tmp_path, locks):
    trial = Waves(tmp_path, text=ONE_SESSION)
    app, who = trial.app, trial.enter("p1")
    app.session.consent(who, True)
    app.lifecycle.exclude(who, "took part before", "anna")
    app.lifecycle.close("enough")
    lock = partial(app.lifecycle.close_wave, 1) if locks == "close --wave" else app.lifecycle.unseal
    with pytest.raises(NotAllowed, match=f"1 participant.*still in .*{who}"):
        lock("analysis")
    app.session.continue_(who, "instructions")
    at_work = person(app, who)
    assert (at_work.status, at_work.stage) == ("in_progress", "now")
    # Once they are silent they have left, as others have; their exclusion stays.
    trial.clock.advance(minutes=2 * DAY)
    assert lock("analysis") == 1
    left = person(app, who)
    assert (left.status, left.exclusion_reason, left.finished_at) == (
        "abandoned", "took part before", at_work.last_seen_at,
    )  # fmt: skip
    assert [row["status"] for row in exported(app, tmp_path / "out")["participants_data.csv"]] == ["excluded"]
    trial.app.close()


def form_events(trial: Waves, number: str) -> list[dict]:
    """What a page sends that shows the form of the first session for a minute, in which a number is typed."""
    form = {"stage": "now", "step": 0}
    edit = {"field": "score_now", "kind": "typed", "changes": [{"from": 0, "to": 0, "insert": number}], "length": 1}
    acts = [(500, "answers_shown", form), (60_500, "answer_edit", form | edit)]
    return [
        {"seq": seq, "kind": kind, "client_time_ms": 0, "mono_ms": mono_ms, "payload": payload}
        for seq, (mono_ms, kind, payload) in enumerate(acts, 1)
    ]


@pytest.mark.parametrize("locks", [False, True])
def test_what_arrives_late_changes_nothing_once_it_is_locked(tmp_path, locks):
    trial = Waves(
        tmp_path, text=STUDY.replace('id = "now"\nkind = "survey"\n', 'id = "now"\nkind = "survey"\nminutes = 5\n')
    )
    who = trial.enter("p1")
    trial.app.session.consent(who, True)
    trial.app.session.continue_(who, "instructions")
    trial.app.session.where(who)
    trial.app.session.take_over(who, "page", 500.0)
    trial.clock.advance(minutes=6)
    trial.app.session.sweep()
    if locks:
        trial.app.lifecycle.close_wave(1, "all have been here")
        trial.app.lifecycle.unseal("analysis")
        with pytest.raises(NotAllowed, match="analysed"):
            trial.app.reopening.reopen(who, "now", 5, "their lid was closed", "anna")
    trial.app.session.ingest(who, Batch.model_validate({"page": "page", "events": form_events(trial, "7")}))
    with trial.app.context.registry.begin(write=False) as unit:
        found = [each.response for each in unit.answers(who) if each.item == "score_now"]
    assert found == ([] if locks else [7])
    trial.app.close()


@pytest.mark.parametrize("sessions", [1, 2])
def test_a_silent_person_of_a_closed_wave_has_left_however_many_sessions_there_are(tmp_path, sessions):
    trial = Waves(tmp_path, text=STUDY if sessions == 2 else ONE_SESSION)
    done, silent = trial.first_part("p1"), trial.enter("p2")
    trial.clock.advance(minutes=2 * DAY)
    seen = person(trial.app, silent).last_seen_at
    assert trial.app.lifecycle.close_wave(1, "all have been here") == 1
    left = person(trial.app, silent)
    assert (left.status, left.finished_at, left.arm) == ("abandoned", seen, None)
    assert person(trial.app, done).status == ("completed" if sessions == 1 else "in_progress")
    trial.app.session.consent(silent, True)
    assert person(trial.app, silent) == left
    trial.app.close()


def test_a_wave_before_the_second_randomisation_is_not_closed(tmp_path):
    stage = '[[stages]]\nid = "once_more"\nkind = "instructions"\nsession = "later"\n[[stages]]\nid = "then"'
    text = (
        STUDY.replace("[recruitment]", AGAIN)
        .replace('["score_now", "score_then"]', '["score_then"]')
        .replace('[[stages]]\nid = "then"', stage)
    )
    trial = Waves(tmp_path, text=text)
    with pytest.raises(NotAllowed, match="randomised a second time in session 2"):
        trial.app.lifecycle.close_wave(1, "all have been here")
    trial.app.close()


def test_who_is_still_on_the_way_in_a_trial_that_was_unsealed_before_leaves_on_coming_back(tmp_path):
    trial = Waves(tmp_path, text=ONE_SESSION)
    who = trial.enter("p1")
    trial.clock.advance(minutes=2 * DAY)
    app = trial.app
    app.lifecycle.close("enough")
    app.lifecycle.unseal("analysis")
    with app.context.registry.begin() as unit:
        unit.touch(who, status="in_progress", stage="consent", finished_at=None)
    app.session.consent(who, True)
    left = person(app, who)
    assert (left.status, left.arm, arms_given(app)) == ("abandoned", None, 0)
    trial.app.close()


def test_a_seed_that_is_published_gives_no_arm_whatever_came_before(tmp_path):
    trial = Waves(tmp_path, text=ONE_SESSION)
    who = trial.enter("p1")
    with trial.app.context.registry.begin() as unit:
        unit.set_meta("state", "unsealed")
    with pytest.raises(NotAllowed, match="no longer accepts"):
        trial.app.session.consent(who, True)
    assert (person(trial.app, who).stage, arms_given(trial.app)) == ("consent", 0)
    trial.app.close()
