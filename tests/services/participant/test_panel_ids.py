"""An address that a panel did not fill in makes no participant, and a sentence says what is wrong with it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.console_trial import Trial

from study_app.domain.errors import Malformed
from study_app.domain.study.recruiting.panel_ids import panel_id_problem
from study_app.services.participant.enrolment import EntryRequest

NEVER = ["{{%PROLIFIC_PID%}}", "{{%STUDY_ID%}}", "%PROLIFIC_PID%", "{id}", "a b", "a\tb", "=1+1", "+1", "-1", "@x"]
NEVER += ["jane@example.org", "http://x", "abc\u200b", "\ufeffabc", "a\u2060b", "a\u061cb", "a\U000e0041", "=1+1\n2"]
GOOD = "5f3a0c1b2d4e6f7a8b9c0d1e"


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    trial = Trial(tmp_path_factory.mktemp("panel"), launched=True, entry="prolific")
    yield trial
    trial.close()


@pytest.fixture(scope="module")
def preview(tmp_path_factory):
    trial = Trial(tmp_path_factory.mktemp("preview"))
    yield trial
    trial.close()


def people(trial: Trial) -> list:
    with trial.app.context.registry.begin(write=False) as unit:
        return unit.participants()


@pytest.mark.parametrize("field", ["prolific_pid", "prolific_study", "prolific_session"])
@pytest.mark.parametrize("text", NEVER)
def test_what_no_panel_gives_is_refused_in_every_field_and_study(panel, preview, field, text):
    given_ids = {"prolific_pid": GOOD, "prolific_study": GOOD, "prolific_session": GOOD} | {field: text}
    for trial in (panel, preview):
        before = people(trial)
        with pytest.raises(Malformed, match="of this address cannot be right: it "):
            trial.app.enrol.enter(EntryRequest(**given_ids))
        assert people(trial) == before


def test_what_an_address_brings_is_read_from_the_fields_that_panels_and_links_write():
    names = {"prolific_pid": "PROLIFIC_PID", "prolific_study": "STUDY_ID", "prolific_session": "SESSION_ID"}
    names |= {name: name for name in ("link", "label", "move", "test", "again")}
    fields = {field: f" {field} of it " for field in names.values()}
    assert EntryRequest.parse(fields) == EntryRequest(**{name: f"{field} of it" for name, field in names.items()})
    assert EntryRequest.parse({}) == EntryRequest()


@pytest.mark.parametrize("text", ["a-b", "a_b", "ä", "a.b", "١٢٣"])
def test_prolific_ids_are_letters_and_digits_while_other_panels_may_use_more(panel, preview, text):
    with pytest.raises(Malformed, match="letters and digits"):
        panel.app.enrol.enter(EntryRequest(prolific_pid=text, prolific_session=GOOD))
    assert preview.app.enrol.enter(EntryRequest(prolific_pid=text, prolific_session=GOOD)).new


@pytest.mark.parametrize("label", ["{{label}}", "anna\u200b", "%label%"])
def test_a_label_that_was_not_filled_in_is_refused(preview, label):
    with pytest.raises(Malformed, match="label"):
        preview.app.enrol.enter(EntryRequest(label=label))
    assert preview.app.enrol.enter(EntryRequest(label=f"class 3, anna{len(people(preview))}@example.org")).new


@given(st.text(alphabet=string.ascii_letters + string.digits, min_size=1, max_size=60))
def test_every_id_of_letters_and_digits_is_taken(text):
    assert panel_id_problem(text, plain=True) is None


@given(st.text(min_size=1, max_size=20))
def test_whatever_is_taken_from_prolific_is_plain_and_visible(text):
    if panel_id_problem(text, plain=True) is None:
        assert text.isascii()
        assert text.isalnum()
