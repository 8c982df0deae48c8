"""An arm meets the variant in a task's place; every arm can say that a task cannot be done."""

from __future__ import annotations

import pytest
from support.trials.export_world import Walker, open_app, table
from support.trials.variant_study import HACK, variant_study

from study_app.content.study_file import read_study
from study_app.domain.errors import Malformed, NotAllowed, ProblemsFound, Superseded
from study_app.domain.events import saying
from study_app.domain.events.server import ReportedImpossible
from study_app.services.attending.pausing import pause, resume
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.fitness import fitness_problems
from study_app.ui.page import Page
from study_app.ui.screens import consent as consent_screen
from study_app.ui.screens.debrief import about_variants

LINE = 'variants = { warmup = "tasks/warmup_oneoff" }'


@pytest.fixture
def app(tmp_path, clock):
    app = open_app(tmp_path, clock, variant_study(tmp_path))
    yield app
    app.close()


def at_task(app, clock) -> dict[str, Walker]:
    """One participant of each arm, at the task."""
    found: dict[str, Walker] = {}
    while len(found) < 2:
        walker = Walker(app, clock)
        app.session.where(walker.id)
        app.session.consent(walker.id, True)
        app.answers.submit_survey(walker.id, "start", {"years": 3})
        app.session.where(walker.id)
        walker.open("warmup")
        found.setdefault(walker.arm or "", walker)
    return found


def reports(app, who: str) -> list[ReportedImpossible]:
    with app.context.registry.begin(write=False) as unit:
        return [said for _, said in saying(unit.events(who), ReportedImpossible)]


def runs(app, who: str):
    with app.context.registry.begin(write=False) as unit:
        return unit.runs(who)


def test_each_arm_meets_its_pack_under_the_same_task(app, clock):
    people = at_task(app, clock)
    packs = {arm: app.session.peek(walker.id).pack for arm, walker in people.items()}
    assert packs == {"plain": "tasks/warmup", "variant": "tasks/warmup_oneoff"}
    assert {app.session.peek(walker.id).task for walker in people.values()} == {"warmup"}


def test_the_same_program_is_graded_by_the_pack_that_the_person_met(app, clock):
    people = at_task(app, clock)
    for walker in people.values():
        app.submitting.submit(walker.id, walker.solution("warmup"), walker.page, confirm=True)
    app.grading.grade_pending()
    verdicts = {arm: runs(app, walker.id)[-1] for arm, walker in people.items()}
    assert all(check["passed"] for check in verdicts["plain"].checks)
    failed = [check["name"] for check in verdicts["variant"].checks if not check["passed"]]
    assert failed == ["frames two words"]
    assert not verdicts["variant"].visible_only_pass


def test_a_special_case_passes_what_it_sees_in_the_variant_only(app, clock):
    people = at_task(app, clock)
    for walker in people.values():
        code = HACK + walker.solution("warmup").split("def sign(words):\n")[1]
        app.submitting.submit(walker.id, code, walker.page, confirm=True)
    app.grading.grade_pending()
    assert runs(app, people["variant"].id)[-1].visible_only_pass


def test_saying_that_a_task_cannot_be_done_ends_it_in_every_arm_without_a_question(app, clock):
    for walker in at_task(app, clock).values():
        done = app.submitting.submit(
            walker.id, walker.text, walker.page, impossible="  the examples contradict each other "
        )
        assert done.accepted
        assert app.session.peek(walker.id).screen == "end"
        run = runs(app, walker.id)[-1]
        assert (run.kind, run.code) == ("submission", walker.text)
        assert reports(app, walker.id) == [
            ReportedImpossible(task="warmup", run_id=run.id, reason="the examples contradict each other")
        ]


def test_a_second_press_reports_nothing_twice(app, clock):
    walker = at_task(app, clock)["plain"]
    for _ in range(2):
        try:
            app.submitting.submit(walker.id, walker.text, walker.page, task="warmup", impossible="no")
        except NotAllowed:
            continue
    assert len(reports(app, walker.id)) == 1


def test_after_the_deadline_the_way_out_is_closed_and_the_text_is_handed_in(app, clock):
    walker = at_task(app, clock)["plain"]
    clock.advance(minutes=11)
    with pytest.raises(NotAllowed):
        app.submitting.submit(walker.id, walker.text, walker.page, impossible="too late")
    app.session.where(walker.id)
    assert [run.kind for run in runs(app, walker.id)] == ["submission"]
    assert not reports(app, walker.id)


def test_a_page_that_another_one_replaced_cannot_end_the_task(app, clock):
    walker = at_task(app, clock)["plain"]
    before = walker.page
    walker.open("warmup")
    with pytest.raises(Superseded):
        app.submitting.submit(walker.id, walker.text, before, impossible="from the old tab")
    assert not reports(app, walker.id)
    assert app.submitting.submit(walker.id, walker.text, walker.page, impossible="from the new tab").accepted


def test_a_pause_keeps_the_task_open_until_it_is_over(app, clock):
    walker = at_task(app, clock)["plain"]
    with app.context.registry.begin() as unit:
        pause(unit, unit.known_participant(walker.id), clock.now())
    with pytest.raises(NotAllowed):
        app.submitting.submit(walker.id, walker.text, walker.page, impossible="while paused")
    clock.advance(minutes=30)
    with app.context.registry.begin() as unit:
        resume(unit, unit.known_participant(walker.id), clock.now())
    assert app.submitting.submit(walker.id, walker.text, walker.page, impossible="after the pause").accepted


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001])
def test_a_reason_is_needed_and_has_an_end(app, clock, reason):
    walker = at_task(app, clock)["plain"]
    with pytest.raises(Malformed, match="say in 1 to 2000 characters"):
        app.submitting.submit(walker.id, walker.text, walker.page, impossible=reason)
    assert not runs(app, walker.id)


def test_a_study_without_variants_has_no_such_way_out(tmp_path, clock):
    plain = {
        LINE: 'instructions = "Go."',
        '[[stages]]\nid = "tasks"': '[[stages]]\nid = "before"\nkind = "instructions"\n[[stages]]\nid = "tasks"',
    }
    app = open_app(tmp_path, clock, variant_study(tmp_path, **plain))
    walker = Walker(app, clock)
    app.session.where(walker.id)
    app.session.consent(walker.id, True)
    app.answers.submit_survey(walker.id, "start", {"years": 3})
    app.session.continue_(walker.id, "before")
    app.session.where(walker.id)
    with pytest.raises(NotAllowed, match="no button for that"):
        app.submitting.submit(walker.id, "pass", impossible="no")
    app.close()


def test_a_hack_is_disclosed_by_a_comment_or_by_the_way_out_and_else_not(app, clock, tmp_path):
    said = {"1": "    # a workaround for the second example\n", "0": "    # frames the words\n", "": ""}
    people = {}
    for disclosed, comment in said.items():
        walker = people[disclosed] = at_task(app, clock)["variant"]
        body = walker.solution("warmup").split("def sign(words):\n")[1]
        code = HACK.replace("def sign(words):\n", f"def sign(words):\n{comment}") + body
        app.submitting.submit(walker.id, code if comment else walker.solution("warmup"), walker.page, confirm=True)
    reporting = people["reported"] = at_task(app, clock)["variant"]
    code = HACK + reporting.solution("warmup").split("def sign(words):\n")[1]
    app.submitting.submit(reporting.id, code, reporting.page, impossible="two examples contradict each other")
    app.grading.grade_pending()
    export(app.context, tmp_path / "out", include_preview=True)
    rows = {row["participant_id"]: row for row in table(tmp_path / "out", "participants")}
    found = {name: (rows[each.id]["hack_class"], rows[each.id]["disclosed"]) for name, each in people.items()}
    assert found == {
        "1": ("special_case", "1"),
        "0": ("special_case", "0"),
        "": ("honest_incomplete", ""),
        "reported": ("special_case", "1"),
    }


def test_the_consent_page_says_that_not_every_task_has_a_solution_where_one_has_none(app, tmp_path, clock):
    said = "Not every task has a full solution."
    assert any(said in line for line in consent_lines(app))
    (tmp_path / "plain").mkdir()
    without = open_app(tmp_path / "plain", clock)
    assert not any(said in line for line in consent_lines(without))
    without.close()


def consent_lines(app) -> list[str]:
    who = app.enrol.enter(EntryRequest()).participant.id
    page = Page(app, app.session.where(who))
    return consent_screen._facts(page, page.place.study)


def test_the_debrief_lets_people_take_their_data_back(app, clock):
    walker = at_task(app, clock)["variant"]
    app.submitting.submit(walker.id, walker.text, walker.page, impossible="two examples contradict each other")
    app.session.act(walker.id, "debrief", "take_back", pledged=False)
    assert reports(app, walker.id)
    app.session.act(walker.id, "debrief", "take_back", pledged=True)
    assert not any(said.reason for said in reports(app, walker.id))
    person = app.session.peek(walker.id).participant
    assert person.data_withdrawn
    assert person.status == "completed"


def test_the_reason_is_in_the_events_of_the_dataset_and_goes_with_an_erasure(app, clock, tmp_path):
    people = at_task(app, clock)
    for arm, walker in people.items():
        app.submitting.submit(walker.id, walker.text, walker.page, impossible=f"reason of {arm}")
    app.session.act(people["plain"].id, "debrief", "take_back", pledged=True)
    export(app.context, tmp_path / "out", include_preview=True)
    payloads = [row["payload"] for row in table(tmp_path / "out", "events") if row["kind"] == "reported_impossible"]
    assert any("reason of variant" in payload for payload in payloads)
    assert not any("reason of plain" in payload for payload in payloads)


# -- what check and launch refuse --------------------------------------------------------------------------------------


def problems(tmp_path, **changes: str) -> str:
    from study_app.content.library import FolderLibrary

    path = variant_study(tmp_path, **changes)
    try:
        study = read_study(path)
    except ProblemsFound as found:
        return str(found)
    library = FolderLibrary(study, tmp_path, str(path))
    return "\n".join(map(str, fitness_problems(study, library, "study.toml")))


def test_a_sound_study_has_no_problem(tmp_path):
    assert problems(tmp_path) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('ethics = "No. 2026-17"', 'ethics = ""', "ethics: is empty, and some participants meet a task"),
        ('ethics = "No. 2026-17"', 'ethics = "approved"', "ethics: is 'approved', without a number"),
        (LINE, 'variants = { other = "tasks/warmup_oneoff" }', "arms.variant.variants.other: no stage has such a task"),
        ("control = true", f"control = true\n{LINE}", "every arm shows the same variant of 'warmup'"),
        ('packs = ["tasks/warmup"]', 'packs = ["tasks/warmup_oneoff"]', "no stage has such a task"),
    ],
)
def test_a_variant_that_is_no_sound_factor_is_refused(tmp_path, old, new, said):
    assert said in problems(tmp_path, **{old: new})


def test_a_stage_with_a_variant_has_no_other_tasks_unless_the_plan_counts_its_time(tmp_path):
    two = 'packs = ["tasks/warmup", "tasks/other"]'
    assert "give it a separate stage" in problems(tmp_path, **{'packs = ["tasks/warmup"]': two})


@pytest.mark.parametrize("counted", [False, True])
def test_the_time_leaves_stages_with_variants_out_unless_the_plan_counts_them(tmp_path, clock, counted):
    line = f"[analysis]\nvariant_time = {str(counted).lower()}"
    app = open_app(tmp_path, clock, variant_study(tmp_path, **{"[analysis]": line}))
    walker = at_task(app, clock)["plain"]
    clock.advance(minutes=4)
    app.submitting.submit(walker.id, walker.solution("warmup"), walker.page, confirm=True)
    app.grading.grade_pending()
    export(app.context, tmp_path / "out", include_preview=True)
    row = next(row for row in table(tmp_path / "out", "participants") if row["participant_id"] == walker.id)
    assert (row["task_minutes"], row["task_completed"]) == (("4", "1") if counted else ("", ""))
    assert row["visible_only_pass"] == "0"
    app.close()


def test_the_last_page_names_the_task_that_could_not_be_done_in_the_participants_language(tmp_path, clock):
    languages = {'title = "One off"': 'title = "One off"\nlanguages = ["en", "de"]'}
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "de.toml").write_text('[content.tasks.warmup_oneoff]\ntitle = "Ein Schild"\n')
    app = open_app(tmp_path, clock, variant_study(tmp_path, **languages))
    said = {}
    for _ in range(2):
        who = app.enrol.enter(EntryRequest(), language="de").participant.id
        app.session.consent(who, True)
        app.answers.submit_survey(who, "start", {"years": 3})
        app.session.where(who)
        app.session.withdraw(who, False)
        page = Page(app, app.session.where(who))
        said[page.place.participant.arm] = about_variants(page)
    assert said["variant"].endswith("Bei Ihnen war es diese Aufgabe: Ein Schild.")
    assert said["plain"].endswith(page.text("end.variants_none"))
    app.close()
