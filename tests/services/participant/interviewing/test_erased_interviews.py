"""Who takes their data back takes along what they said, and everything that people and programs made of it."""

from __future__ import annotations

import pytest
from support.databases import POSTGRES_IS_SLOW
from support.trials.export_world import table
from support.trials.stored_bytes import stored
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.dataset.verification import verify
from study_app.domain.themes.codebook import read_codebook
from study_app.domain.themes.marks import CLAUDE, QUOTE, REPLY, quote_value
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.gold import GoldSample
from study_app.services.researcher.themes.programs import ProgramCoding
from study_app.services.researcher.themes.reading import rating_of

SECRET = "zebra0crossing0seventeen"
SAID_SECRET = f"I was in a hurry because of {SECRET} on the whole way."


@pytest.fixture
def trial(tmp_path, database_url):
    made = ThemesTrial(tmp_path, database=database_url)
    yield made
    made.close()


def coded(trial):
    """Two interviews with every kind of rating; returns the one with the secret."""
    context = trial.app.context
    mine = trial.hold({"start": SAID_SECRET, "hard": SAID["trust"]})
    other = trial.hold({"start": SAID["hurry"], "hard": SAID[""]})
    Codebooks(context).freeze("ann", read_codebook(CODEBOOK), "agreed")
    trial.clock.advance(minutes=1)
    ProgramCoding(context).by_rules("preview")
    GoldSample(context).draw("ann", "preview", share=1, least=0)
    board = InterviewBoard(context)
    for who, hard in (("ann", []), ("ben", ["trust"])):
        for each in (mine, other):
            board.code(who, each, {"start": ["hurry"], "hard": hard})
    board.settle("cy", (mine, "hard"), ["trust"], f"speaks of {SECRET}")
    board.audit("ann", mine, dict.fromkeys(("benevolence", "necessity", "context_awareness", "openness",
                                            "justified_skip"), 3))  # fmt: skip
    texts = {QUOTE: ("ann", quote_value("hurry", SECRET)), REPLY: (CLAUDE, SECRET)}
    with context.registry.begin() as unit:
        for rubric, (rater, value) in texts.items():
            unit.add_rating(rating_of(context, (mine, "start"), rater, value, rubric))
    return mine, other


def exported(trial, name, **more):
    export(trial.app.context, trial.folder / name, include_preview=True, **more)
    return trial.folder / name


def test_no_word_and_no_rating_of_an_erased_interview_stays_and_the_chain_holds(trial):
    mine, other = coded(trial)
    assert [str(each) for each in verify(exported(trial, "before")).findings] == []
    assert SECRET.encode() in stored(trial)
    trial.app.session.withdraw(trial.people[mine], True)
    trial.app.session.sweep()
    with trial.app.context.registry.begin(write=False) as unit:
        left = {each.object.split("#")[0] for each in unit.ratings()}
    assert f"interview:{mine}" not in left
    assert f"interview:{other}" in left
    assert SECRET.encode() not in stored(trial)
    for name, public in (("after", False), ("public", True)):
        dataset = exported(trial, name, public=public)
        assert [str(each) for each in verify(dataset).findings] == []
        assert len(table(dataset, "interviews")) == 1
        assert SECRET not in "".join(path.read_text() for path in dataset.rglob("*.csv"))
    status = GoldSample(trial.app.context).status("preview")
    assert (status.interviews, status.gold, status.gold_coded) == (1, 1, 1)


@POSTGRES_IS_SLOW
def test_who_leaves_and_keeps_their_data_in_keeps_the_codes_too(trial):
    mine, _ = coded(trial)
    trial.app.session.withdraw(trial.people[mine], False)
    dataset = exported(trial, "out")
    assert [str(each) for each in verify(dataset).findings] == []
    assert len(table(dataset, "interviews")) == 2
    assert any(mine in row["object"] for row in table(dataset, "ratings"))
