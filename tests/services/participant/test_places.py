"""A study takes as many people as it has places: held from consent, freed on leaving or expiry, used at allocation."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.clock import HandClock
from support.databases import POSTGRES_IS_SLOW
from support.trials.console_trial import NoSandbox

from analysis.cli import analyze
from study_app.bootstrap import App, start
from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.domain.ledger import LedgerRow
from study_app.domain.records import Participant
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.settings import Settings

STUDY = """
schema = "study/1"
id = "places"
title = "Places"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
instructions = "Go."
[[arms]]
id = "other"
instructions = "Go on."
[allocation]
method = "permuted_blocks"
block_sizes = [2]
{replacement}
[recruitment]
entry = "{entry}"
target_n = {target}
{counts}
[[stages]]
id = "consent"
kind = "consent"
{earlier}
[[stages]]
id = "before"
kind = "survey"
[[stages.questions]]
id = "years"
kind = "number"
prompt = "Years?"
required = false
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "debrief"
kind = "debrief"
"""


class Study:
    """A launched study with links, on one database."""

    def __init__(self, folder: Path, url: str, *, target: int = 4, entry: str = "links", **more: str) -> None:
        given = {"replacement": "", "counts": "", "earlier": ""} | more
        (folder / "study.toml").write_text(STUDY.format(target=target, entry=entry, **given))
        self.clock = HandClock()
        self.app: App = start(
            Settings(folder / "study.toml", url, folder / "var", environment={}), clock=self.clock, sandbox=NoSandbox()
        )
        self.app.lifecycle.launch()

    def come(self) -> str:
        (link,) = self.app.links.create(1)
        who = self.app.enrol.enter(EntryRequest(link=link.secret)).participant.id
        self.app.session.where(who)
        return who

    def consent(self, who: str) -> Participant:
        return self.app.session.consent(who, True).participant

    def allocate(self, who: str) -> Participant:
        return self.app.answers.submit_survey(who, "before", {}).participant

    def finish(self, who: str) -> Participant:
        return self.app.session.continue_(who, "instructions").participant

    def everybody(self) -> list[Participant]:
        with self.app.context.registry.begin(write=False) as unit:
            return unit.participants()


@pytest.fixture
def study(tmp_path, database_url):
    """Makes launched studies; closes them at the end."""
    made: list[Study] = []

    def make(**more) -> Study:
        made.append(Study(tmp_path, database_url, **more))
        return made[-1]

    yield make
    for each in made:
        each.app.close()


def test_eight_people_on_the_consent_page_of_a_study_for_four_make_four_allocations(study, tmp_path):
    trial = study()
    people = [trial.come() for _ in range(8)]
    together = Barrier(8)

    def go(who: str) -> None:
        together.wait(60)
        if trial.consent(who).stage == "before":
            trial.allocate(who)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(go, people))
    found = trial.everybody()
    assert sum(person.arm is not None for person in found) == 4
    refused = [person for person in found if person.place == "refused"]
    assert [(person.exclusion_reason, person.stage) for person in refused] == [("no place was free", "end")] * 4
    with pytest.raises(NotAllowed, match="all the participants it needs"):
        trial.come()
    out = tmp_path / "dataset"
    from study_app.services.researcher.exporting.datasets import DatasetRequest

    trial.app.datasets.write(out, DatasetRequest(), who="cli", via="command line")
    report = verify(out)
    assert report.ok, report.lines()
    path = next((out / "data").glob("*_description-participants_data.csv"))
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    left_out = {(row["status"], row["exclusion_reason"]) for row in rows if not row["allocated_at"]}
    assert left_out == {("excluded", "no place was free")}
    flow = analysed_flow(out, tmp_path / "analysed")
    assert (flow["assessed"], flow["excluded"], flow["allocated"]) == (8, {"no place was free": 4}, 4)


def analysed_flow(dataset: Path, out: Path) -> dict:
    """The flow of an analysis, and what the report's diagram shows of it."""
    analyze(dataset, out)
    assert "no place was free" in (out / "report.html").read_text(encoding="utf-8")
    return json.loads((out / "results.json").read_text(encoding="utf-8"))["flow"]


@pytest.mark.parametrize(
    "more", [{"replacement": 'replacement = "return_slot"'}, {"counts": 'target_counts = "completed"'}]
)
@POSTGRES_IS_SLOW
def test_who_comes_back_after_others_took_their_place_ends_there_and_stays_in_the_ledger(study, tmp_path, more):
    trial = study(target=1, **more)
    first = trial.come()
    trial.consent(first)
    trial.allocate(first)
    trial.clock.advance(hours=25)
    second = trial.come()
    trial.consent(second)
    trial.allocate(second)
    back = trial.finish(first)
    assert (back.status, back.stage, back.arm is not None) == ("abandoned", "end", True)
    assert trial.finish(second).status == "completed"
    assert [person.status for person in trial.everybody()] == ["abandoned", "completed"]
    trial.app.datasets.write(tmp_path / "dataset", DatasetRequest(), who="cli", via="command line")
    report = verify(tmp_path / "dataset")
    assert report.ok, report.lines()


@POSTGRES_IS_SLOW
def test_who_comes_back_to_a_place_that_is_still_free_goes_on_and_keeps_it(study):
    trial = study(target=1, replacement='replacement = "return_slot"')
    first = trial.come()
    trial.consent(first)
    trial.allocate(first)
    trial.clock.advance(hours=25)
    second = trial.come()
    assert trial.app.session.where(first).participant.status == "in_progress"
    assert trial.consent(second).place == "refused"


def test_a_newcomer_and_somebody_who_comes_back_at_one_moment_share_one_place(study):
    trial = study(target=1, replacement='replacement = "return_slot"')
    first = trial.come()
    trial.consent(first)
    trial.allocate(first)
    trial.clock.advance(hours=25)
    second = trial.come()
    together = Barrier(2)

    def go(act: Callable[[str], object], who: str) -> None:
        together.wait(60)
        act(who)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(go, (trial.app.session.where, trial.consent), (first, second)))
    went_on = [person.stage != "end" for person in trial.everybody()]
    assert sum(went_on) == 1


@POSTGRES_IS_SLOW
def test_who_leaves_before_allocation_frees_the_place(study):
    trial = study(target=1)
    first, second, third = (trial.come() for _ in range(3))
    assert trial.consent(first).place == "held"
    assert trial.consent(second).place == "refused"
    trial.app.session.withdraw(first, False)
    assert trial.consent(third).place == "held"
    assert trial.allocate(third).arm is not None


@POSTGRES_IS_SLOW
def test_a_place_expires_and_who_comes_back_late_gets_one_only_if_it_is_still_free(study):
    trial = study(target=1)
    slow, quick = trial.come(), trial.come()
    trial.consent(slow)
    trial.clock.advance(hours=25)
    assert trial.consent(quick).place == "held"
    late = trial.allocate(slow)
    assert (late.arm, late.place, late.exclusion_reason) == (None, "refused", "no place was free")
    assert trial.allocate(quick).arm is not None


@POSTGRES_IS_SLOW
def test_who_comes_back_late_to_a_place_that_nobody_took_goes_on(study):
    trial = study(target=1)
    slow = trial.come()
    trial.consent(slow)
    trial.clock.advance(hours=25)
    assert trial.allocate(slow).place == "used"


@POSTGRES_IS_SLOW
def test_who_comes_back_to_a_full_study_learns_it_at_once_and_not_after_the_next_stage(study, tmp_path):
    trial = study(target=1)
    slow, quick = trial.come(), trial.come()
    trial.consent(slow)
    trial.clock.advance(hours=25)
    trial.consent(quick)
    back = trial.app.session.where(slow).participant
    assert (back.stage, back.place, back.exclusion_reason) == ("end", "refused", "no place was free")
    assert trial.allocate(quick).arm is not None
    trial.app.datasets.write(tmp_path / "dataset", DatasetRequest(), who="cli", via="command line")
    report = verify(tmp_path / "dataset")
    assert report.ok, report.lines()


def test_who_is_at_work_for_longer_than_a_place_is_held_is_not_turned_away_in_the_middle_of_it(study):
    trial = study(target=1)
    slow, quick = trial.come(), trial.come()
    trial.consent(slow)
    trial.clock.advance(hours=23)
    trial.app.session.take_over(slow, "page-of-slow")
    trial.clock.advance(hours=2)
    trial.consent(quick)
    assert trial.app.session.where(slow).participant.stage == "before"
    assert trial.allocate(slow).place == "refused"


@POSTGRES_IS_SLOW
def test_who_comes_back_to_a_free_place_before_allocation_holds_it_again(study):
    trial = study(target=1)
    slow, late = trial.come(), trial.come()
    trial.consent(slow)
    trial.clock.advance(hours=25)
    assert trial.app.session.where(slow).participant.stage == "before"
    assert trial.consent(late).place == "refused"
    trial.clock.advance(hours=23)
    assert trial.allocate(slow).place == "used"


EARLIER = """[[stages]]
id = "earlier"
kind = "survey"
[[stages.questions]]
id = "name"
kind = "text"
prompt = "Name?"
required = false
"""


@pytest.mark.parametrize(("hours", "place"), [(23.9, "refused"), (24, "held")])
@POSTGRES_IS_SLOW
def test_whoever_goes_on_to_the_next_stage_before_allocation_holds_their_place_from_then_on(study, hours, place):
    trial = study(target=1, earlier=EARLIER)
    slow, other = trial.come(), trial.come()
    trial.consent(slow)
    trial.clock.advance(hours=23)
    assert trial.app.answers.submit_survey(slow, "earlier", {}).participant.stage == "before"
    trial.clock.advance(hours=hours)
    assert trial.consent(other).place == place


@POSTGRES_IS_SLOW
def test_a_place_is_kept_for_who_is_paused_and_lasts_as_long_as_it_would_have(study):
    trial = study(target=1)
    first, second, third = (trial.come() for _ in range(3))
    trial.consent(first)
    trial.clock.advance(hours=23)
    trial.app.acts.pause(first, "ill", "anna")
    trial.clock.advance(hours=48)
    assert trial.consent(second).place == "refused"
    trial.app.acts.resume(first, "well again", "anna")
    trial.clock.advance(minutes=59)
    assert trial.consent(third).place == "refused"
    assert trial.allocate(first).place == "used"


def test_a_returned_slot_is_filled_again(study):
    trial = study(target=2, replacement='replacement = "return_slot"')
    people = [trial.come() for _ in range(3)]
    for who in people[:2]:
        trial.consent(who)
    for who in people[:2]:
        trial.allocate(who)
    assert trial.consent(people[2]).place == "refused"
    trial.app.session.withdraw(people[0], False)
    newcomer = trial.come()
    trial.consent(newcomer)
    assert trial.allocate(newcomer).allocation_index == 3
    with trial.app.context.registry.begin(write=False) as unit:
        assert LedgerRow.parse(unit.allocations("real")[-1]).returned == (1,)


@POSTGRES_IS_SLOW
def test_without_a_returned_slot_who_left_still_counts(study):
    trial = study(target=1)
    first, second = trial.come(), trial.come()
    trial.consent(first)
    trial.allocate(first)
    trial.app.session.withdraw(first, False)
    assert trial.consent(second).place == "refused"


@POSTGRES_IS_SLOW
def test_a_target_of_completed_people_replaces_whoever_leaves(study):
    trial = study(target=1, counts='target_counts = "completed"')
    first = trial.come()
    trial.consent(first)
    trial.allocate(first)
    with pytest.raises(NotAllowed):
        trial.come()
    trial.app.session.withdraw(first, False)
    second = trial.come()
    trial.consent(second)
    trial.allocate(second)
    assert trial.finish(second).status == "completed"
    with pytest.raises(NotAllowed):
        trial.come()


@POSTGRES_IS_SLOW
def test_a_panel_learns_the_code_at_the_door_of_a_full_study(study):
    trial = study(target=1, entry="prolific")
    enter = trial.app.enrol.enter
    first = enter(
        EntryRequest(prolific_pid="a" * 24, prolific_study="s" * 24, prolific_session="b" * 24)
    ).participant.id
    trial.app.session.where(first)
    trial.consent(first)
    with pytest.raises(NotAllowed, match="STUDY-FULL"):
        enter(EntryRequest(prolific_pid="c" * 24, prolific_study="s" * 24, prolific_session="d" * 24))


@POSTGRES_IS_SLOW
def test_previews_need_no_place(tmp_path, database_url):
    (tmp_path / "study.toml").write_text(STUDY.format(target=1, entry="open", replacement="", counts="", earlier=""))
    app = start(Settings(tmp_path / "study.toml", database_url, tmp_path / "var", environment={}), sandbox=NoSandbox())
    for _ in range(3):
        who = app.enrol.enter(EntryRequest()).participant.id
        app.session.where(who)
        app.session.consent(who, True)
        assert app.answers.submit_survey(who, "before", {}).participant.arm is not None
    app.close()


ACTS = st.lists(
    st.tuples(st.sampled_from(["come", "consent", "allocate", "back", "leave", "wait"]), st.integers(0, 7)), max_size=40
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, target=st.integers(1, 4), returns=st.booleans())
def test_whatever_people_do_no_more_are_allocated_than_there_are_places(tmp_path_factory, acts, target, returns):
    folder = tmp_path_factory.mktemp("walk")
    replacement = 'replacement = "return_slot"' if returns else ""
    trial = Study(folder, f"sqlite:///{folder}/study.db", target=target, replacement=replacement)
    people: list[str] = []
    for act, which in acts:
        if act == "wait":
            trial.clock.advance(hours=9)
        elif act == "come":
            try:
                people.append(trial.come())
            except NotAllowed:
                continue
        elif people:
            who = people[which % len(people)]
            walk = {"consent": trial.consent, "allocate": trial.allocate, "back": trial.app.session.where}
            walk.get(act, lambda who: trial.app.session.withdraw(who, False))(who)
        allocated = [person for person in trial.everybody() if person.arm is not None]
        staying = [person for person in allocated if person.status not in ("withdrawn",)]
        abandoned = sum(trial.clock.now() - person.last_seen_at >= timedelta(hours=24) for person in staying)
        assert len(staying) - (abandoned if returns else 0) <= target
        assert returns or len(allocated) <= target
    trial.app.close()
