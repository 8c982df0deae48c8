"""What is stored of what participants make: texts, runs, conversations, answers, and how these were rated."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from study_app.domain.assistants.budget import Usage
from study_app.domain.quiz.answer_log import Draft
from study_app.domain.records import (
    Answer,
    Document,
    Kind,
    Participant,
    Rating,
    RunRecord,
    TextReview,
    Turn,
)


class WorkRecords(Protocol):
    """Documents, runs, turns, answers and their ratings, within one transaction."""

    def document(self, participant_id: str, task: str, of_page: str | None = None) -> Document | None:
        """Return the saved text of a task, or None before the first edit.

        With `of_page`, None where another page saved it.
        """
        ...

    def document_page(self, participant_id: str, task: str) -> str | None:
        """Return the page whose edits the saved text holds."""
        ...

    def save_document(self, document: Document, page: str) -> None:
        """Insert or replace the saved text."""
        ...

    def draft(self, participant_id: str, stage: str, step: int) -> Draft | None:
        """Return what stands in the fields of a form, or None before the first change."""
        ...

    def save_draft(self, participant_id: str, stage: str, step: int, draft: Draft) -> None:
        """Insert or replace it."""
        ...

    def add_run(self, run: RunRecord) -> None:
        """Insert a run when it starts."""
        ...

    def update_run(self, run: RunRecord) -> bool:
        """Replace a run by its finished state.

        False where it is gone: its person had their data erased.
        """
        ...

    def runs(self, participant_id: str | None = None) -> list[RunRecord]:
        """Return runs and submissions in order of their start."""
        ...

    def ungraded(self) -> list[RunRecord]:
        """Submissions that wait for their grading, oldest first."""
        ...

    def ungraded_before(self, before: datetime) -> int:
        """Return how many submissions made before then have no verdict."""
        ...

    def failed_runs(self, since: datetime) -> int:
        """Return how many runs have failed on the server since then."""
        ...

    def latest_runs_failed(self, count: int, waiting_since: datetime, but_for: str) -> list[bool]:
        """Of the latest programs of real participants that are over: whether each failed on the server, latest first.

        Args:
            count: how many at most.
            waiting_since: a submission that was made before then and still waits has failed, too.
            but_for: the message of runs that are left out.
        """
        ...

    def latest_turn_errors(self, count: int) -> list[str | None]:
        """Return how the latest turns of people ended, simulated ones aside: the error of each, the latest first."""
        ...

    def simulated(self) -> set[str]:
        """Ids of the simulated participants, whose time is not the server's."""
        ...

    def remarkable(self) -> list[RunRecord]:
        """Submissions whose grading came to no verdict, or whose imports a person may want to look at; oldest first."""
        ...

    def add_turn(self, turn: Turn) -> None:
        """Insert a turn when it is asked."""
        ...

    def update_turn(self, turn: Turn) -> bool:
        """Replace a turn by its newer state.

        False where it is gone: its person had their data erased.
        """
        ...

    def turns(self, participant_id: str | None = None) -> list[Turn]:
        """Return turns in order of asking."""
        ...

    def tokens_by_model(self, kind: Kind) -> list[tuple[str, str, int, int, int, int]]:
        """Treatment, model, messages, tokens read, tokens written, and messages whose tokens were not reported."""
        ...

    def reported_use(self, kind: Kind) -> list[tuple[str, bool, Usage]]:
        """Treatment, whether a recording answered, and what those turns used whose tokens were reported; unpriced."""
        ...

    def turns_of(self, kind: Kind) -> list[Turn]:
        """Return the turns of participants of one kind whose data were not erased, each one's in order of asking."""
        ...

    def turns_apart(self, kind: Kind, treatments: Collection[str]) -> list[Turn]:
        """Return turns whose tokens were not reported, and those of these treatments, in order of asking."""
        ...

    def treatments_of_turns(self, kind: Kind, treatments: Collection[str]) -> dict[str, str]:
        """Ids of the turns of these treatments, each with its own; nothing else of them is read."""
        ...

    def save_answer(self, answer: Answer) -> None:
        """Insert or replace the answer to one question or item; counts changes itself.

        A response to a quiz that stays as it was keeps its points.
        """
        ...

    def drop_answer(self, participant_id: str, stage: str, item: str) -> None:
        """Forget an answer; nothing happens where there is none."""
        ...

    def answers(self, participant_id: str | None = None) -> list[Answer]:
        """Answers in fixed order."""
        ...

    def answers_to(self, question: str, kind: Kind) -> list[tuple[Participant, Any]]:
        """Participants of one kind who have handed in an answer to a survey's question, each with it."""
        ...

    def quiz_answers(self, kind: Kind, items: Collection[str]) -> list[tuple[str, str, str, Any]]:
        """Answers to these items of quizzes, in fixed order: participant, stage, item, response."""
        ...

    def unscored(self, by: str | None = None) -> list[Answer]:
        """Quiz answers that have no points yet, in fixed order; where asked, those that this scorer left without."""
        ...

    def set_points(self, answer: Answer) -> bool:
        """Store points, their maximum, who scored and by which key; False if the response has changed since."""
        ...

    def erase_ratings(self, objects: Collection[str]) -> None:
        """Erase every rating of these objects and of their parts (`OBJECT#PART`): quotes are a participant's words."""
        ...

    def add_rating(self, rating: Rating) -> None:
        """Append one human judgement."""
        ...

    def ratings(self) -> list[Rating]:
        """Return all judgements, in fixed order."""
        ...

    def add_text_review(self, review: TextReview) -> None:
        """Append what a person decided on a text."""
        ...

    def text_reviews(self) -> list[TextReview]:
        """Return the newest decision on each text."""
        ...
