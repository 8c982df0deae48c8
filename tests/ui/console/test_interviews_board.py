"""The board Interviews: coded one by one, blind; settled; quoted as redacted; judged by five criteria."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.bootstrap import install
from study_app.domain.themes.codebook import read_codebook
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.gold import GoldSample
from study_app.services.researcher.themes.programs import ProgramCoding

pytestmark = pytest.mark.usefixtures("main_module")
BOOK = read_codebook(CODEBOOK)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = ThemesTrial(tmp_path_factory.mktemp("interviews"))
    made.ids = [made.hold({"start": SAID["hurry"], "hard": SAID["trust"]}) for _ in range(10)]
    yield made
    made.close()


@pytest.fixture
def board(trial, monkeypatch):
    def draw(who: str) -> AppTest:
        install(trial.app)
        monkeypatch.setenv("TEST_PERSON", who)
        page = AppTest.from_function(script, default_timeout=60).run()
        assert not page.exception
        return page

    return draw


def script() -> None:
    import os

    from study_app.bootstrap import current
    from study_app.secrets.console_accounts import ConsoleUser
    from study_app.services.researcher.monitoring import Monitor
    from study_app.ui.console.pages.interviews import render
    from study_app.ui.console.session import ConsoleSession

    person = ConsoleUser(os.environ["TEST_PERSON"], "full")
    render(ConsoleSession(current(), person, Monitor(current().context)))


def shown(page: AppTest) -> str:
    return "\n".join(str(getattr(each, "proto", "")) for each in page.main)


def ratings(trial, rater):
    with trial.app.context.registry.begin(write=False) as unit:
        return {(each.object, each.rubric): each.value for each in unit.ratings() if each.rater == rater}


def test_interviews_are_coded_settled_quoted_and_judged(board, trial):
    context = trial.app.context
    assert "No codebook is frozen yet" in shown(board("ann"))
    Codebooks(context).freeze("ann", BOOK, "agreed")
    trial.clock.advance(minutes=1)
    ProgramCoding(context).by_rules("preview")
    GoldSample(context).draw("ann", "preview", share=0.2, least=0)
    first = InterviewBoard(context).waiting("ann", "preview")[0].interview_id

    page = board("ann")
    seen = shown(page)
    assert SAID["hurry"] in seen
    assert SAID["trust"] in seen
    for hidden in ("Marmalade", "Turquoise", trial.people[first], "plain"):
        assert hidden not in seen
    # One code is offered on the first topic, two on the second: `trust` cannot occur on the first.
    assert [each.key.split("#")[1] for each in page.checkbox] == ["start:hurry", "hard:hurry", "hard:trust"]
    page.checkbox[0].check()
    page.button[0].click().run()
    assert not page.exception
    given = ratings(trial, "ann")
    assert given[f"interview:{first}#start", BOOK.version] == "hurry"
    assert given[f"interview:{first}#hard", BOOK.version] == ""

    InterviewBoard(context).code("ben", first, {"start": ["hurry"], "hard": ["trust"]})
    page = board("cy")
    page.segmented_control(key="interviews_part").set_value("Disagreements").run()
    assert "ann" not in shown(page).split()
    page.checkbox[1].check()
    page.button[0].click().run()
    assert "give a reason" in page.error[0].value
    page.checkbox[1].check()
    page.text_input[0].set_value("says so")
    page.button[0].click().run()
    assert ratings(trial, "adjudicated") == {(f"interview:{first}#hard", BOOK.version): "trust"}

    page = board("ann")
    page.segmented_control(key="interviews_part").set_value("Quotes").run()
    page.button[0].click().run()
    assert "Read the text" in page.error[0].value
    page.checkbox[0].check()
    page.text_area[0].set_value("the clock ran […]")
    page.button[0].click().run()
    assert not page.exception
    assert "hurry: the clock ran […]" in ratings(trial, "ann").values()

    page = board("ann")
    page.segmented_control(key="interviews_part").set_value("How it was held").run()
    assert len(page.radio) == 5
    for radio in page.radio:
        radio.set_value(4)
    page.button[0].click().run()
    assert sum(rubric.startswith("audit_") for _, rubric in ratings(trial, "ann")) == 5
