"""Words of an interview leave only where the participant said so, a person has read them, and redacted where asked."""

from __future__ import annotations

from support.trials.export_world import table
from support.trials.interview_study import Interviewee

from study_app.dataset.disclosure.public import WITHHELD
from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.text_review import TextReviews

WORDS = "I wrote to anna.smith@lab.example and then I tried the loop once more until it printed all of it."


def interviewed(folder, share):
    person = Interviewee(folder, share=share, stage='sharing = "share_words"')
    person.say(WORDS)
    person.leave("stopped") if person.asked else None
    return person


def answers(person, name):
    dataset = person.export(name, public=True)
    assert [str(each) for each in verify(dataset).findings] == []
    return [turn["answer"] for turn in table(dataset, "interview_turns")], table(dataset, "interviews")[0]


def test_without_a_yes_no_word_leaves_and_no_reviewer_is_offered_one(tmp_path):
    person = interviewed(tmp_path, "no")
    reviews = TextReviews(person.app.context)
    assert not [line for line in reviews.lines("preview") if line.cell.table.startswith("interview")]
    said, row = answers(person, "public")
    assert said[0] == WITHHELD
    assert (row["shared"], row["turns"], row["quality_start"]) == ("0", "2", "substantive")
    # Neither in the log of events nor in any report.
    files = [path for path in (tmp_path / "public").rglob("*") if path.is_file()]
    assert not [path.name for path in files if "tried the loop once more" in path.read_text(errors="replace")]


def test_with_a_yes_a_text_leaves_once_a_person_released_it_whole_or_redacted(tmp_path):
    person = interviewed(tmp_path, "yes")
    reviews = TextReviews(person.app.context)
    assert answers(person, "unread")[0][0] == WITHHELD
    (line,) = [each for each in reviews.lines("preview") if each.cell.text == WORDS]
    assert line.identifiers == ("e-mail address",)
    assert "anna" not in line.suggested.text
    reviews.decide("ada", "preview", [line.suggested.key], True)
    assert answers(person, "redacted")[0][0] == line.suggested.text
    reviews.decide("ada", "preview", [line.cell.key, line.suggested.key], False)
    assert answers(person, "withdrawn")[0][0] == WITHHELD
    reviews.decide("ada", "preview", [line.cell.key], True)
    assert answers(person, "whole")[0][0] == WORDS


def test_who_takes_their_data_along_leaves_no_word_of_the_interview(tmp_path):
    person = Interviewee(tmp_path)
    person.say(WORDS)
    assert person.asked
    person.app.session.withdraw(person.id, True)
    dataset = person.export()
    assert table(dataset, "interview_turns") == []
    assert "anna.smith" not in "".join(path.read_text() for path in (dataset / "data").glob("*.csv"))
    assert [str(each) for each in verify(dataset).findings] == []
