"""Who is erased leaves no word: neither what they wrote, nor what researchers typed about them and may have quoted."""

from __future__ import annotations

import json

import pytest
from console_room import Trial, drawn, shown
from sqlalchemy import text
from support.trials.scripted_runs import Scripted
from support.trials.stored_bytes import stored

from study_app.bootstrap import install
from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.domain.records import Rating
from study_app.domain.tasks.hacks.coding import OBJECT, REASON_RUBRIC
from study_app.services.reasons import ERASED_REASON
from study_app.services.researcher.coding import Codings
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.judging.rating import RatingQueue
from study_app.services.researcher.monitoring import Monitor
from study_app.services.researcher.replay.timeline import timeline

pytestmark = pytest.mark.usefixtures("main_module")
SECRET = "zebra0crossing0seventeen"
FEW = ("participants", "audit", "replay", "coding")
MORE = ("overview", "grading", "verdicts", "links", "sessions", "allocation", "downloads", "recruiting")
MORE += ("releasing.texts", "reporting.results", "protocol", "accounts")
TYPED = {
    "note", "message to participant", "extend deadline", "pause participant", "resume participant", "let in again",
    "exclude", "unblind", "erase answer", "erase data", "adjudicate",
}  # fmt: skip
"""Acts on one participant for which a person types words."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def trial(request, tmp_path):
    database = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url_with_tables")
    made = Trial(tmp_path, database=database)
    made.app.context.sandbox = Scripted()
    made.boards = FEW if request.param == "sqlite" else FEW + MORE
    yield made
    made.close()


def planted(trial: Trial) -> str:
    """A participant who wrote the secret wherever they could, and of whom each act quotes it."""
    app = trial.app
    who = trial.someone_in("ai")
    trial.write(who, "trio_timer", f"# {SECRET}\n", f"t-{who}", seconds=0.1)
    trial.run(who, "trio_timer", f"# {SECRET}\n", stderr=f"{SECRET}\n", error_type="NameError")
    turn = trial.ask(who, "trio_timer", f"What is {SECRET}?", f"{SECRET} is a word.")
    quoting = f"wrote '{SECRET}'"
    app.acts.note(who, quoting, "anna")
    app.acts.message(who, f"You wrote '{SECRET}'.", quoting, "anna")
    app.acts.extend(who, 5, quoting, "anna")
    app.acts.pause(who, quoting, "anna")
    app.acts.resume(who, quoting, "anna")
    app.acts.let_in_again(who, quoting, "anna")
    trial.finish(who, f"{SECRET} waits for all")
    app.scoring.score_pending()
    app.acts.erase_answer(who, "background", "years_coding", quoting, "anna")
    app.lifecycle.exclude(who, quoting, "anna")
    app.lifecycle.unblind(who, quoting, "anna")
    codings, ratings = Codings(app.context), RatingQueue(app.context)
    codings.code("eva", turn, ["explanation"])
    codings.code("finn", turn, ["generation"])
    codings.settle("anna", turn, ["generation"], quoting)
    view = ratings.answers_for("eva", "preview")[0]
    most = {name: points for name, _, points in view.criteria}
    ratings.rate("eva", view.object, most)
    ratings.rate("finn", view.object, dict.fromkeys(most, 0.0))
    ratings.settle("anna", view.object, most, quoting)
    with app.context.registry.begin() as unit:
        run = unit.runs(who)[0].id
        unit.add_rating(Rating("hack1", OBJECT + run, "anna", quoting, REASON_RUBRIC, app.context.now()))
        assert {entry.what for entry in unit.audit()} >= TYPED - {"erase data"}
    return who


def everywhere(trial: Trial, who: str, folder: str, monkeypatch) -> dict[str, str]:
    """All that the database holds, and all that anybody can get to see of it."""
    app = trial.app
    install(app)
    found = {"database": stored(trial).decode("utf-8", "replace"), "audit": str(Monitor(app.context).audit())}
    found["timeline"] = json.dumps(timeline(app.context, who))
    for name in trial.boards:
        monkeypatch.setenv("TEST_BOARD", name)
        monkeypatch.setenv("TEST_PERSON", "anna full")
        page = drawn(name)
        page.session_state["act_on"] = who
        page.run()
        assert not page.exception
        found[name] = shown(page)
    for fmt, more in (("csv", {"identified": True}), ("parquet", {}), ("csv", {"public": True})):
        where = trial.folder / f"{folder}-{fmt}{len(more)}{'public' in more}"
        export(app.context, where, fmt=fmt, include_preview=True, **more)
        # The turns of this trial were put there by hand, so that it verifies only once they are gone.
        findings = [] if folder == "before" else [str(each) for each in verify(where).findings]
        assert findings == []
        content = b"".join(path.read_bytes() for path in where.rglob("*") if path.is_file())
        found[where.name] = content.decode("utf-8", "replace")
    return found


def test_no_word_of_an_erased_participant_is_left_anywhere(trial, monkeypatch):
    who = planted(trial)
    before = everywhere(trial, who, "before", monkeypatch)
    assert {name for name, content in before.items() if SECRET in content} >= {"database", "audit", "timeline"}
    trial.app.acts.erase(who, f"asked for it, as '{SECRET}' names them", "anna")
    trial.app.session.sweep()
    after = everywhere(trial, who, "after", monkeypatch)
    assert {name for name, content in after.items() if SECRET in content} == set()
    entries = [entry for entry in Monitor(trial.app.context).audit() if entry.what in TYPED - {"adjudicate"}]
    assert {entry.what for entry in entries} == TYPED - {"adjudicate"}
    assert {entry.why for entry in entries} == {ERASED_REASON}
    with pytest.raises(NotAllowed, match="no note is kept on them"):
        trial.app.acts.note(who, SECRET, "anna")


def test_words_about_others_stay(trial):
    one, other = trial.enter(), trial.enter()
    for who in (one, other):
        trial.app.session.where(who)
        trial.app.acts.note(who, f"a note on {who}", "anna")
    trial.app.acts.erase(one, "asked for it", "anna")
    assert {entry.why for entry in Monitor(trial.app.context).audit() if entry.what == "note"} == {
        ERASED_REASON, f"a note on {other}",
    }  # fmt: skip
    with trial.app.context.registry.begin() as unit:
        kept = unit.connection.execute(text("SELECT why FROM audit WHERE what = 'note'")).all()
    assert [why for (why,) in kept] == ["", ""]
