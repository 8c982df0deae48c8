"""The table of saved texts is not sealed: nothing of an outcome rests on what is changed in it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from services.participant.test_forms_events import FormTrial, Tab
from sqlalchemy import text
from support.trials.console_trial import Trial

from study_app.dataset.verification import verify
from study_app.services.participant.editing.logged_texts import form_of, text_of
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.monitoring import Monitor


def forged(app, sql: str, **values) -> None:
    with app.context.registry.database.begin(write=True) as connection:
        assert connection.execute(text(sql), values).rowcount == 1


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    yield made
    made.close()


@pytest.fixture
def at_work(trial):
    who = trial.enter()
    trial.to_warmup(who)
    trial.write(who, "warmup", "x = 1\n", "page-one")
    return who


FORGE = "UPDATE documents SET text = 'solved()' WHERE participant_id = :who AND task = 'warmup'"


def test_a_page_that_is_loaded_again_shows_what_the_edits_gave_and_not_what_the_table_says(trial, at_work):
    assert trial.app.session.document(at_work, "warmup").text == "x = 1\n"
    forged(trial.app, FORGE, who=at_work)
    assert trial.app.session.document(at_work, "warmup").text == "x = 1\n"


def test_a_text_that_was_moved_to_another_page_or_removed_is_shown_from_the_log(trial, at_work):
    forged(trial.app, "UPDATE documents SET page = 'page-zero', text = 'y' WHERE participant_id = :who", who=at_work)
    assert trial.app.session.document(at_work, "warmup").text == "x = 1\n"
    forged(trial.app, "DELETE FROM documents WHERE participant_id = :who", who=at_work)
    assert trial.app.session.document(at_work, "warmup").text == "x = 1\n"


def test_a_changed_text_that_a_deadline_hands_in_is_tampering(trial, at_work, tmp_path):
    forged(trial.app, FORGE, who=at_work)
    trial.clock.advance(minutes=60)
    assert trial.app.session.sweep() == 1
    trial.app.datasets.write(tmp_path / "dataset", DatasetRequest(), who="cli", via="command line")
    report = verify(tmp_path / "dataset")
    assert "code_differs_from_edits" in {finding.name for finding in report.findings}
    assert not report.ok


def test_a_text_whose_edits_did_not_fit_stays_what_the_table_has(trial, at_work):
    wrong = {"task": "warmup", "kind": "typed", "changes": [{"from": 900, "to": 901, "insert": ""}], "length": 5}
    trial.send(at_work, "page-one", 8, "edit", wrong)
    with trial.app.context.registry.begin(write=False) as unit:
        assert text_of(unit, at_work, "warmup") == unit.document(at_work, "warmup")


def test_what_a_page_says_after_another_took_the_text_over_is_not_the_text(trial, at_work):
    trial.app.session.take_over(at_work, "page-two")
    trial.send(at_work, "page-two", 1, "load", {"task": "warmup", "text": "x = 1\n", "source": "saved"})
    change = {"from": 0, "to": 1, "insert": "y"}
    trial.send(at_work, "page-two", 2, "edit", {"task": "warmup", "kind": "typed", "changes": [change], "length": 6})
    trial.send(at_work, "page-one", 8, "load", {"task": "warmup", "text": "z = 1\n", "source": "saved"})
    with trial.app.context.registry.begin(write=False) as unit:
        assert text_of(unit, at_work, "warmup") == unit.document(at_work, "warmup")
        assert unit.document(at_work, "warmup").text == "y = 1\n"
    forged(trial.app, FORGE, who=at_work)
    assert trial.app.session.document(at_work, "warmup").text == "y = 1\n"


@pytest.fixture
def form(tmp_path):
    made = FormTrial(tmp_path)
    yield made
    made.app.close()


def test_a_form_that_is_shown_again_holds_what_its_events_left(form, tmp_path):
    who = form.enter()
    tab = Tab(form, who, "page0")
    tab.add("answer_set", field="role", value="dev")
    tab.edit("words", "", 0, 0, "mine")
    tab.send()
    draft = '{"role": "sci", "words": "theirs"}'
    forged(form.app, "UPDATE documents SET text = :draft WHERE participant_id = :who", draft=draft, who=who)
    assert form.app.answers.drafts(form.app.session.where(who)) == {"role": "dev", "words": "mine"}
    form.clock.advance(minutes=600)
    form.app.session.sweep()
    if form.answers(who, "about"):
        export(form.app.context, tmp_path / "dataset")
        names = {finding.name for finding in verify(tmp_path / "dataset").findings}
        assert "answer_differs_from_events" in names


def test_an_honest_form_is_the_same_in_the_table_and_in_the_log_over_pages_and_repeats(form):
    who = form.enter()
    first = Tab(form, who, "page0")
    words = first.edit("words", "", 0, 0, "ab\U0001f600")
    first.send()
    first.send()
    second = Tab(form, who, "page1")
    second.add("answer_load", field="words", value=words)
    second.edit("words", words, 1, 2, "")
    second.add("answer_set", field="tools", value=["vim"])
    second.send(1, 2)
    second.send()
    with form.app.context.registry.begin(write=False) as unit:
        assert form_of(unit, who, "about", 0) == unit.draft(who, "about", 0)


def test_console_and_export_give_one_status_whatever_a_researcher_does_in_the_meantime(trial, at_work, tmp_path):
    hours = trial.app.context.study.recruitment.abandoned_after_hours

    def statuses():
        console = {person.id: person.status for person in Monitor(trial.app.context).people("real")}
        folder = tmp_path / f"at{trial.clock.at.timestamp():.0f}"
        trial.app.datasets.write(folder, DatasetRequest(), who="cli", via="command line")
        [table] = (folder / "data").glob("*participants_data.csv")
        lines = [line.split(",") for line in table.read_text().splitlines()]
        place = lines[0].index("status")
        return console[at_work], {line[lines[0].index("participant_id")]: line[place] for line in lines[1:]}[at_work]

    for _ in range(3):
        trial.app.acts.extend(at_work, 24 * 60, "a long holiday", "anna")
    trial.clock.at += timedelta(hours=hours - 1)
    assert len(set(statuses())) == 1
    trial.app.acts.extend(at_work, 60, "another one", "anna")
    trial.send(at_work, "page-one", 1, "load", {"task": "warmup", "text": "", "source": "starter"})
    trial.clock.at += timedelta(hours=2)
    assert statuses() == ("abandoned", "abandoned")
