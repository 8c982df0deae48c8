"""Options, rows, tasks and items in an order of each person's own: kept, met on the page, and logged."""

from __future__ import annotations

from support.paths import ROOT

from study_app.bootstrap import start
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.participant.handing_in import fields_of
from study_app.settings import Settings
from study_app.ui.screens.form import question_field

STUDY = f"""
schema = "study/1"
id = "orders"
title = "Orders"
[[arms]]
id = "only"
control = true
[allocation]
method = "permuted_blocks"
block_sizes = [1]
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "about"
kind = "survey"
questions = [
  {{ id = "pick", kind = "choice", prompt = "?", shuffle = true, options = [
    {{ value = "a", label = "A" }}, {{ value = "b", label = "B" }}, {{ value = "c", label = "C" }},
    {{ value = "d", label = "D" }} ] }},
  {{ id = "kept", kind = "choice", prompt = "?", options = [
    {{ value = "a", label = "A" }}, {{ value = "b", label = "B" }} ] }},
]
[[stages]]
id = "tasks"
kind = "tasks"
minutes = 10
shuffle = true
packs = ["{ROOT}/tasks/warmup", "{ROOT}/tasks/trio_timer", "{ROOT}/tasks/trio_users"]
[[stages]]
id = "quiz"
kind = "quiz"
minutes = 10
shuffle = true
bank = "{ROOT}/quizzes/trio"
[[stages]]
id = "debrief"
kind = "debrief"
"""


def way(app):
    who = app.enrol.enter(EntryRequest()).participant.id
    place = app.session.consent(who, True)
    options = [option["value"] for option in question_field(place.stage.questions[0], {})["options"]]
    assert [option.value for option in app.session.where(who).stage.questions[0].options] == options
    assert [option.value for option in place.stage.questions[1].options] == ["a", "b"]
    app.answers.submit_survey(who, "about", {"pick": "b", "kept": "a"})
    tasks = []
    for _ in range(3):
        task = app.session.where(who).task
        tasks.append(task)
        app.submitting.submit(who, "pass", confirm=True, task=task)
    items = list(fields_of(app.context, app.session.where(who)))
    with app.context.registry.begin(write=False) as unit:
        logged = {}
        for event in unit.events_of(who, {"order_drawn"}):
            logged[event.stage] = event.payload["orders"]
    assert logged["about"] == {"pick": options}
    assert logged["tasks"] == {"tasks": tasks}
    assert logged["quiz"]["items"][: len(items)] == items
    return tuple(options), tuple(tasks), tuple(items)


def test_orders_are_drawn_kept_met_and_logged(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    app = start(Settings(tmp_path / "study.toml", f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={}))
    found = [way(app) for _ in range(6)]
    app.close()
    for orders in zip(*found, strict=True):
        assert len({frozenset(order) for order in orders}) == 1
        assert len(set(orders)) > 1
