"""A coding project that comes back late: what was changed in it is taken, what was changed here meanwhile stays."""

from __future__ import annotations

import zipfile

import pytest
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.dataset.writing.refi_qda import QdaCoding, write_project
from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.domain.themes.codebook import read_codebook
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.exchange import CodeExchange
from study_app.services.researcher.themes.reading import Coded

BOOK = read_codebook(CODEBOOK)
KIND = "preview"
HURRY, NONE = {"start": ["hurry"], "hard": ["trust"]}, {"start": [], "hard": ["trust"]}


@pytest.fixture
def trial(tmp_path):
    made = ThemesTrial(tmp_path)
    yield made
    made.close()


class Coding:
    """One interview that people code, on the console and in a project."""

    def __init__(self, trial, folder):
        self.trial, self.file = trial, folder / "eva.qdpx"
        self.context = trial.app.context
        self.board, self.exchange = InterviewBoard(self.context), CodeExchange(self.context)
        self.interview = trial.hold({"start": SAID["hurry"], "hard": SAID["trust"]})
        Codebooks(self.context).freeze("ann", BOOK, "two readers agreed")

    def codes(self, coder, codes):
        self.trial.clock.advance(minutes=1)
        self.board.code(coder, self.interview, codes)

    def moment(self):
        self.trial.clock.advance(minutes=1)
        return self.trial.clock.now()

    def project(self, as_of, **codings):
        """Write what another program would of these codes."""
        transcript = next(each.transcript for each in self.coded().all)
        rows = [
            QdaCoding(self.interview, topic, coder, frozenset(codes), self.trial.clock.now())
            for coder, given in codings.items()
            for topic, codes in given.items()
        ]
        self.file.write_bytes(write_project("talk", BOOK, [transcript], rows, as_of))

    def coded(self):
        with self.context.registry.begin(write=False) as unit:
            return Coded(self.context, unit, KIND)

    def of(self, coder):
        return {key[1]: sorted(given[coder]) for key, given in self.coded().codes().items() if coder in given}

    def read(self):
        self.trial.clock.advance(minutes=1)
        return self.exchange.read("cli", KIND, self.file)


def test_codes_changed_here_since_the_export_are_not_put_back(trial, tmp_path):
    coding = Coding(trial, tmp_path)
    for coder in ("eva", "finn"):
        coding.codes(coder, HURRY)
    content, _ = coding.exchange.packed("cli", KIND)
    coding.file.write_bytes(content)
    coding.codes("finn", NONE)
    assert coding.read() == {"file": str(coding.file), "codings": 0, "coders": [], "passed_over": 1}
    assert coding.of("finn") == NONE


@pytest.mark.parametrize("says", [True, False])
def test_a_change_made_in_the_project_is_taken_beside_older_codes_of_others(trial, tmp_path, says):
    coding = Coding(trial, tmp_path)
    for coder in ("eva", "finn"):
        coding.codes(coder, HURRY)
    as_of = coding.moment() if says else None
    coding.codes("finn", NONE)
    coding.project(as_of, eva=NONE, finn=HURRY)
    found = coding.read()
    assert (found["codings"], found["coders"], found["passed_over"]) == (1, ["eva"], 1)
    assert coding.of("eva") == coding.of("finn") == NONE
    # The same file again, after another change of mind: it is older than that.
    coding.codes("eva", HURRY)
    assert (coding.read()["codings"], coding.of("eva")) == (0, HURRY)


def test_a_coder_may_go_back_to_what_they_gave_before_the_export(trial, tmp_path):
    coding = Coding(trial, tmp_path)
    coding.codes("eva", HURRY)
    coding.codes("eva", NONE)
    coding.project(coding.moment(), eva=HURRY)
    assert (coding.read()["codings"], coding.of("eva")) == (1, HURRY)


@pytest.mark.parametrize("act", ["settle", "look"])
def test_other_codes_of_a_settled_answer_or_after_a_look_are_refused_by_name(trial, tmp_path, act):
    coding = Coding(trial, tmp_path)
    coding.codes("eva", HURRY)
    coding.codes("finn", NONE)
    content, _ = coding.exchange.packed("cli", KIND)
    answer = (coding.interview, "start")
    as_of = coding.moment()
    if act == "settle":
        coding.board.settle("cy", answer, ["hurry"], "says so twice")
    else:
        coding.board.look("eva", answer)
    coding.project(as_of, eva=NONE, finn=NONE)
    with pytest.raises(ProblemsFound) as refused:
        coding.read()
    (problem,) = refused.value.problems
    assert problem.key == f"topic 'start' of interview {coding.interview}, coder eva"
    assert ("is settled" if act == "settle" else "eva has seen what others gave") in problem.what
    assert coding.of("eva") == HURRY
    # An unchanged project comes back without harm.
    coding.file.write_bytes(content)
    assert coding.read()["codings"] == 0


def test_a_coder_can_be_named_whose_codes_those_of_the_one_user_of_a_project_are(trial, tmp_path):
    coding = Coding(trial, tmp_path)
    coding.project(coding.moment(), Admin=HURRY)
    read = coding.exchange.read("cli", KIND, coding.file, coder="eva")
    assert read["coders"] == ["eva"]
    assert coding.of("eva") == {topic: sorted(codes) for topic, codes in HURRY.items()}
    assert coding.of("Admin") == {}
    coding.project(coding.moment(), Admin=HURRY, finn=HURRY)
    with pytest.raises(ProblemsFound, match="codes of Admin, finn, and --coder names one person"):
        coding.exchange.read("cli", KIND, coding.file, coder="eva")
    for name in ("rules", "adjudicated", " "):
        with pytest.raises(NotAllowed):
            coding.exchange.read("cli", KIND, coding.file, coder=name)
        with pytest.raises(NotAllowed):
            coding.exchange.packed("cli", KIND, coder=name)


def test_a_project_can_hold_the_codes_of_one_person_alone(trial, tmp_path):
    coding = Coding(trial, tmp_path)
    for coder in ("eva", "finn"):
        coding.codes(coder, HURRY)
    content, held = coding.exchange.packed("cli", KIND, coder="eva")
    coding.file.write_bytes(content)
    assert held["codings"] == len(HURRY)
    assert b"finn" not in zipfile.ZipFile(coding.file).read("project.qde")
    # Coded by eva in another program under its user's name, and brought back as hers.
    assert coding.exchange.read("cli", KIND, coding.file, coder="eva")["codings"] == 0
