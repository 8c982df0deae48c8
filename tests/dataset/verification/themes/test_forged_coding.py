"""Codes of interviews that were altered in the table: each is named by what it comes from, not by its digest alone."""

from __future__ import annotations

import json
import shutil

import pytest
from support.trials.agent_forgery import as_csv
from support.trials.export_world import table
from support.trials.quiz_study import rewrite_table
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.dataset.verification import verify
from study_app.domain.interaction.codes import ADJUDICATED
from study_app.domain.themes.answers import CodedReply
from study_app.domain.themes.codebook import read_codebook
from study_app.domain.themes.marks import CLAUDE, GOLD, REPLY, RULES
from study_app.domain.themes.marks import CODEBOOK as BOOKS
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.gold import GoldSample
from study_app.services.researcher.themes.programs import ProgramCoding


class OneBatch:
    """A model whose batch is over at once; it gives each answer the code of its topic that comes first."""

    def find(self, answers, since):
        return None

    def submit(self, book, asked):
        self.asked = list(asked)
        return "batch1"

    def ended(self, batch):
        return True

    def replies(self, batch, book):
        for each in self.asked:
            codes = [book.of_topic(each.topic)[0].id]
            text = json.dumps({"codes": codes})
            raw = {"message": {"stop_reason": "end_turn", "content": [{"type": "text", "text": text}]}}
            yield CodedReply(each.custom_id, tuple(codes), raw)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Six interviews, coded by the rules, a model and two people, two of three drawn, one disagreement settled."""
    trial = ThemesTrial(tmp_path_factory.mktemp("themes"))
    context = trial.app.context
    mine = [trial.hold({"start": SAID["hurry"], "hard": SAID["trust"]}) for _ in range(6)]
    Codebooks(context).freeze("ann", read_codebook(CODEBOOK), "agreed")
    trial.clock.advance(minutes=1)
    ProgramCoding(context).by_rules("preview")
    ProgramCoding(context).by_batch(OneBatch(), "preview", seconds=1, pause=lambda _: None)
    GoldSample(context).draw("ann", "preview", share=0.5, least=0)
    trial.clock.advance(minutes=1)
    mine += [trial.hold({"start": SAID["hurry"], "hard": SAID["trust"]}) for _ in range(2)]
    GoldSample(context).draw("ann", "preview", share=0.5, least=0)
    board = InterviewBoard(context)
    for who, hard in (("ann", []), ("ben", ["trust"])):
        board.code(who, mine[0], {"start": ["hurry"], "hard": hard})
    board.settle("cy", (mine[0], "hard"), ["trust"], "speaks of it")
    export(context, trial.folder / "data", include_preview=True)
    yield trial.folder / "data"
    trial.close()


def test_what_people_and_programs_coded_and_drew_verifies(dataset):
    assert [str(each) for each in verify(dataset).findings] == []
    assert sorted(row["value"] for row in table(dataset, "ratings") if row["rubric"] == GOLD) == [
        *["drawn 0.5"] * 4,
        *["left 0.5"] * 4,
    ]


def of(rubric="", rater=""):
    return lambda row: row["rubric"].startswith(rubric) and row["rater"].startswith(rater)


def reply_of_no_code(row):
    raw = json.loads(row["value"])
    raw["message"]["content"][0]["text"] = json.dumps({"codes": []})
    row["value"] = json.dumps(raw)


def swapped(row):
    word, probability = row["value"].split()
    row["value"] = f"{'left' if word == 'drawn' else 'drawn'} {probability}"


FORGED = {
    "the probability of being drawn": (of(GOLD), lambda row: row.update(value="drawn 0.9"), "gold_sample_differs"),
    "who was drawn": (of(GOLD), swapped, "gold_sample_differs"),
    "a model's code": (of("talk-", CLAUDE), lambda row: row.update(value=""), "coding_differs"),
    "a code by the rules": (of("talk-", RULES), lambda row: row.update(value=""), "coding_differs"),
    "a settled code": (of("talk-", ADJUDICATED), lambda row: row.update(value=""), "settled_code_differs"),
    "the moment of the freeze": (
        of(BOOKS),
        lambda row: row.update(rated_at="2025-01-01T00:00:00.000Z"),
        "codebook_differs",
    ),
    "the codebook after its freeze": (
        of(BOOKS),
        lambda row: row.update(value=row["value"].replace("time was short", "time was long")),
        "codebook_differs",
    ),
    "codes older than the freeze": (
        of("talk-", "ann"),
        lambda row: row.update(rated_at="2025-01-01T00:00:00.000Z"),
        "coded_before_freeze",
    ),
}


def forged(dataset, to, which, change):
    """Alter the first row that fits; returns its number."""
    shutil.copytree(dataset, to)
    rows = table(to, "ratings")
    number, row = next((number, row) for number, row in enumerate(rows, 2) if which(row))
    change(row)
    rewrite_table(to, "ratings", lambda _: as_csv(rows))
    return number


@pytest.mark.parametrize("what", FORGED)
def test_verify_names_the_row_that_was_altered(dataset, tmp_path, what):
    which, change, name = FORGED[what]
    number = forged(dataset, tmp_path / "forged", which, change)
    assert (name, number) in {(each.name, each.row) for each in verify(tmp_path / "forged").findings}


def test_verify_names_the_code_whose_raw_reply_was_altered(dataset, tmp_path):
    number = forged(dataset, tmp_path / "forged", of(REPLY), reply_of_no_code)
    rows = table(tmp_path / "forged", "ratings")
    about = rows[number - 2]["object"]
    (code,) = [
        number
        for number, row in enumerate(rows, 2)
        if (row["object"], row["rater"]) == (about, CLAUDE) and row["rubric"] != REPLY
    ]
    assert ("coding_differs", code) in {(each.name, each.row) for each in verify(tmp_path / "forged").findings}
