"""What verify says of codes of interviews: older than the freeze, of the sealed half, by an altered codebook."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.dataset.verification import verify
from study_app.domain.records import Rating
from study_app.domain.themes.codebook import read_codebook
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.gold import GoldSample
from study_app.services.researcher.themes.programs import ProgramCoding

BOOK = read_codebook(CODEBOOK)


@pytest.fixture
def trial(tmp_path):
    made = ThemesTrial(tmp_path)
    yield made
    made.close()


def coded(trial, book=BOOK):
    interview = trial.hold({"start": SAID["hurry"], "hard": SAID[""]})
    trial.hold({"start": SAID[""], "hard": SAID["trust"]})
    if book.induced:
        Codebooks(trial.app.context).sealed_half("ann", "preview")
    Codebooks(trial.app.context).freeze("ann", book, "agreed")
    trial.clock.advance(minutes=1)
    ProgramCoding(trial.app.context).by_rules("preview")
    return interview


def exported(trial, name="out", **more):
    export(trial.app.context, trial.folder / name, include_preview=True, **more)
    return trial.folder / name


def rows(dataset, table):
    with next((dataset / "data").glob(f"*description-{table}_data.csv")).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def findings(dataset):
    return sorted({each.name for each in verify(dataset).findings})


def add(trial, **changes):
    with trial.app.context.registry.begin() as unit:
        model = next(each for each in unit.ratings() if each.rubric.startswith("talk-"))
        unit.add_rating(replace(model, rating_id=trial.app.context.fresh_id(), **changes))


def test_codes_after_the_freeze_verify_and_participants_have_a_column_for_each_theme(trial):
    interview = coded(trial)
    board = InterviewBoard(trial.app.context)
    board.code("ann", interview, {"start": [], "hard": ["trust"]})
    GoldSample(trial.app.context).draw("ann", "preview", share=1, least=0)
    dataset = exported(trial)
    report = verify(dataset)
    assert report.findings == []
    assert any("codes of interviews against the freeze" in line for line in report.passed)
    people = {row["participant_id"]: (row["theme_hurry"], row["theme_trust"]) for row in rows(dataset, "participants")}
    # By people where they coded, by the rules elsewhere.
    assert people.pop(trial.people[interview]) == ("0", "1")
    assert list(people.values()) == [("0", "1")]


def test_codes_older_than_the_freeze_are_a_breach_of_the_protocol(trial):
    interview = coded(trial)
    early = trial.clock.now().replace(year=2025)
    add(trial, rater="ann", object=f"interview:{interview}#hard", value="trust", rated_at=early)
    add(trial, rater="ann", object=f"interview:{interview}#start", rubric="talk-0123456789ab")
    report = verify(exported(trial))
    assert [each.name for each in report.findings] == ["coded_before_freeze", "coded_before_freeze"]
    assert {each.finding_class for each in report.findings} == {"protocol"}
    assert not report.ok


def test_codes_of_the_sealed_half_and_strange_codes_are_named(trial):
    book = read_codebook(CODEBOOK.replace('title = "Talking', 'induced = true\ntitle = "Talking', 1))
    coded(trial, book)
    with trial.app.context.registry.begin(write=False) as unit:
        sealed = next(each.object for each in unit.ratings() if each.value == "induce")
    add(trial, rater="ann", object=f"{sealed}#start", value="haste", rated_at=trial.clock.now())
    assert findings(exported(trial)) == ["code_unknown", "coded_in_sealed_half"]


def test_a_codebook_that_is_not_what_its_name_says_is_named(trial):
    coded(trial)
    with trial.app.context.registry.begin() as unit:
        stored = next(each for each in unit.ratings() if each.rubric == "codebook")
        altered = stored.value.replace("time was short", "time was long")
        unit.add_rating(Rating("x", stored.object, "ann", altered, "codebook", trial.clock.now()))
    assert findings(exported(trial)) == ["codebook_differs"]


def test_a_theme_column_that_the_codes_do_not_give_is_found(trial):
    coded(trial)
    dataset = exported(trial)
    file = next((dataset / "data").glob("*description-participants_data.csv"))
    table = rows(dataset, "participants")
    table[0]["theme_hurry"] = "0" if table[0]["theme_hurry"] == "1" else "1"
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, table[0])
        writer.writeheader()
        writer.writerows(table)
    assert "derived_differs" in findings(dataset)


def test_who_takes_their_data_back_takes_the_codes_along(trial):
    interview = coded(trial)
    who = trial.people[interview]
    with trial.app.context.registry.begin() as unit:
        person = unit.participant(who)
        unit.move(person, data_withdrawn=True)
    dataset = exported(trial)
    assert not [row for row in rows(dataset, "ratings") if interview in row["object"]]
    assert [row for row in rows(dataset, "ratings") if row["object"].startswith("interview:")]
    assert "chain_row_missing" not in findings(dataset)
