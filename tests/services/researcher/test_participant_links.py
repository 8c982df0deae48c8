"""Links are made by one rule, from the command line and from the console."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.console_trial import Trial

from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.links import check_base

CLUSTERED = '[allocation]\nmethod = "cluster"\ncluster = "label"\n'


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    yield made
    made.close()


def audited(trial: Trial) -> list:
    with trial.app.context.registry.begin(write=False) as unit:
        return [entry for entry in unit.audit() if entry.what == "create-links"]


def test_a_label_that_a_link_or_a_person_has_is_refused_and_nothing_is_made(trial):
    links = trial.app.links
    first, _ = links.create(labels=["anna", "ben"])
    trial.app.enrol.enter(EntryRequest(link=first.secret))
    for labels in (["anna", "carl"], ["carl", "ben"], ["carl", "carl"]):
        with pytest.raises(ProblemsFound) as found:
            links.create(labels=labels, source="labels.txt")
        assert len(found.value.problems) == 1
        assert str(found.value).startswith("labels.txt: the label '")
    with trial.app.context.registry.begin(write=False) as unit:
        assert len(unit.links()) == 2
    assert len(audited(trial)) == 1


def test_the_label_of_a_preview_can_be_given_to_a_real_person(tmp_path):
    trial = Trial(tmp_path)
    trial.enter("anna")
    trial.app.lifecycle.launch()
    assert trial.app.links.create(labels=["anna"])
    trial.close()


def test_labels_that_allocation_reads_name_groups_and_may_repeat(tmp_path):
    trial = Trial(tmp_path)
    text = trial.study_file.read_text()
    trial.study_file.write_text(re.sub(r"\[allocation\].*?(?=\n\[)", CLUSTERED, text, count=1, flags=re.DOTALL))
    trial.close()
    from study_app.bootstrap import start

    app = start(trial.settings, clock=trial.clock)
    assert len(app.links.create(labels=["class 1", "class 1", "class 2"])) == 3
    assert len(app.links.create(labels=["class 1"])) == 1
    app.close()


def test_links_of_a_panel_study_are_refused_with_a_sentence(tmp_path):
    trial = Trial(tmp_path, entry="prolific")
    with pytest.raises(NotAllowed, match="come from Prolific"):
        trial.app.links.create(3)
    trial.close()


def test_nobody_gets_links_of_a_study_that_is_closed(trial):
    trial.app.lifecycle.close("enough")
    with pytest.raises(NotAllowed, match="the study is closed"):
        trial.app.links.create(1)


@pytest.mark.parametrize("label", ["", " anna", "anna\u200b", "\ufeffanna", "an\nna", "a" * 201])
def test_a_label_that_cannot_be_told_from_another_is_refused_by_its_row(trial, label):
    with pytest.raises(ProblemsFound) as found:
        trial.app.links.create(labels=["ben", label])
    assert [problem.key for problem in found.value.problems] == ["label 2"]


@pytest.mark.parametrize(("count", "labels"), [(0, None), (100_001, None), (2, ["a"]), (None, []), (None, None)])
def test_a_number_of_links_that_makes_no_sense_is_refused(trial, count, labels):
    with pytest.raises(ProblemsFound):
        trial.app.links.create(count, labels)


def test_command_line_and_console_leave_the_same_entry_in_the_audit_log(trial):
    trial.app.links.create(2)
    trial.app.links.create(1, who="anna", via="console")
    assert [(entry.who, entry.detail) for entry in audited(trial)] == [
        ("cli", {"count": 2, "labels": False, "via": "command line"}),
        ("anna", {"count": 1, "labels": False, "via": "console"}),
    ]


@pytest.mark.parametrize(
    "text", ["localhost:8501", "study.example.org", "//x", "ftp://x.org", "http://", "http://a b", "http://x?y=1", ""]
)
def test_an_address_that_is_not_complete_is_refused_with_what_to_give(text):
    with pytest.raises(ProblemsFound, match="https://study.example.org"):
        check_base(text, "--base-url")


@given(st.text(max_size=40))
def test_any_text_for_an_address_is_taken_whole_or_refused_with_a_reason(text):
    try:
        base = check_base(text, "--base-url")
    except ProblemsFound:
        return
    assert base.startswith(("http://", "https://")) or base.lower().startswith(("http://", "https://"))
    assert not base.endswith("/")
