"""Points that people gave to answers: what the ratings of each give, settled or on average."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.verification.derived.comparing import TOLERANCE, close
from study_app.domain.interaction.codes import ADJUDICATED, people
from study_app.domain.quiz.answer_ratings import POINTS, AnswerName, newest, points_of
from study_app.domain.records import Rating


def points_by_people(ratings: Iterable[Rating]) -> Mapping[str, float]:
    """Return the points of each rated answer, by its name."""
    of_answers = sorted((each for each in ratings if each.rubric == POINTS), key=lambda each: each.rated_at)
    given = newest((each.object, each.rater, each.value) for each in of_answers)
    return {
        name: points_of(by_rater, lambda awarded: sum(awarded.values()))
        for name, by_rater in given.items()
        if ADJUDICATED in by_rater or people(by_rater)
    }


def check_points_of_people(opened: UntrustedDataset, answers: Sequence[UntrustedRow], due: Mapping[str, float]) -> None:
    """Hold the points of one participant's answers that people scored against the ratings."""
    for answer in answers:
        if answer["scored_by"] != "human" or answer["points"] is None:
            continue
        name = str(AnswerName(str(answer["participant_id"]), str(answer["stage"]), str(answer["item"])))
        if name not in due or not close(answer["points"], due[name], TOLERANCE):
            rated = f"their ratings give {due[name]:g}" if name in due else "there is no rating of it"
            what = f"{name}: people gave {answer['points']} points, {rated}"
            opened.report.add("derived_differs", opened.relative("answers"), answer.number, what)
