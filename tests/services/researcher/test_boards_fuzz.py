"""Any values into what boards of coders, graders and readers post: taken, or refused once with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hostile.hostile_values import TEXTS, anything
from support.hostile.outcomes import outcome
from support.trials.console_trial import Trial
from support.trials.scripted_runs import Scripted
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.domain.errors import UserError
from study_app.domain.themes.codebook import read_codebook
from study_app.services.researcher.blind_codes.gate_audit import GateAudits
from study_app.services.researcher.blind_codes.hacks import HackCodes
from study_app.services.researcher.blind_codes.tones import ToneCodes
from study_app.services.researcher.coding import Codings
from study_app.services.researcher.exporting.text_review import TextReviews
from study_app.services.researcher.judging.rating import RatingQueue
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.quoting import Quotes

NAMES = ("anna", "eva", "finn", "rules", "claude", "adjudicated", "", " ", "\x00", "a" * 5000, "\ud800")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A query, an answer to rate, and two interviews, each of which two people have coded differently."""
    trial = Trial(tmp_path_factory.mktemp("boards"))
    trial.app.context.sandbox = Scripted()
    who = trial.someone_in("ai")
    turn = trial.ask(who, "trio_timer", "How does it wait?", "By a nursery.")
    trial.finish(who, "an answer that no key knows")
    trial.app.scoring.score_pending()
    ratings = RatingQueue(trial.app.context)
    view = ratings.answers_for("eva", "preview")[0]
    talks = ThemesTrial(tmp_path_factory.mktemp("talks"))
    held = [talks.hold({"start": SAID["hurry"], "hard": SAID["trust"]}) for _ in range(2)]
    Codebooks(talks.app.context).freeze("anna", read_codebook(CODEBOOK), "agreed")
    yield SimpleNamespace(app=trial.app, talks=talks.app, turn=turn, view=view, held=held)
    trial.close()
    talks.close()


def word(rng: Random, *usual: str) -> str:
    return rng.choice(usual) if usual and rng.random() < 0.6 else rng.choice((*TEXTS, *NAMES))


def words(rng: Random, *usual: str) -> list[str]:
    return [word(rng, *usual) for _ in range(rng.randrange(4))]


def points(rng: Random, room) -> dict:
    made = {name: rng.choice((0.0, 1.0, most, -1.0, 1e308, float("nan"))) for name, _, most in room.view.criteria}
    return made if rng.random() < 0.7 else {word(rng): anything(rng, 0) for _ in range(2)}


def posts(rng: Random, room) -> dict[str, Callable[[], object]]:
    """What each board posts, drawn from a seed."""
    context, talk = room.app.context, room.talks.context
    codings, ratings, board = Codings(context), RatingQueue(context), InterviewBoard(talk)
    who, why = word(rng, "anna", "eva", "finn"), word(rng, "because")
    labels = words(rng, "explanation", "generation")
    interview = word(rng, *room.held)
    codes = {topic: words(rng, "hurry", "trust") for topic in ("start", "hard", "more", word(rng))}
    key = (word(rng, interview), word(rng, "start", "hard"))
    judged = {name: rng.choice((1, 3, 0, 9)) for name in ("benevolence", "necessity", word(rng))}
    cell = (word(rng), word(rng, "turns", "answers"), word(rng, "message"), word(rng, room.turn))
    return {
        "code a query": partial(codings.code, who, word(rng, room.turn), labels),
        "settle a query": partial(codings.settle, who, word(rng, room.turn), labels, why),
        "rate an answer": partial(ratings.rate, who, word(rng, room.view.object), points(rng, room)),
        "settle an answer": partial(ratings.settle, who, word(rng, room.view.object), points(rng, room), why),
        "code a program": partial(HackCodes(context).code, who, word(rng), word(rng, "none")),
        "settle a program": partial(HackCodes(context).settle, who, word(rng), word(rng, "none"), why),
        "code a tone": partial(ToneCodes(context).code, who, word(rng, room.turn), word(rng, "neutral")),
        "audit a gate": partial(GateAudits(context).audit, who, word(rng, room.turn), explained=rng.random() < 0.5),
        "code an interview": partial(board.code, who, interview, codes),
        "settle an interview": partial(board.settle, who, key, codes["start"], why),
        "audit an interview": partial(board.audit, who, interview, judged),
        "release a quote": partial(quote, talk, rng, who, key),
        "review texts": partial(TextReviews(context).decide, who, "preview", [cell], rng.random() < 0.5),
        "read texts": partial(TextReviews(context).lines, "preview"),
    }


def quote(context, rng: Random, who: str, key: tuple[str, str]) -> None:
    candidate = SimpleNamespace(interview_id=key[0], topic=key[1], code=word(rng, "hurry"))
    Quotes(context).release(who, candidate, word(rng, "in a hurry"))


def posted(room, seed: int) -> None:
    """Each post is taken or refused, and what was taken can be read by every board again."""
    for call in posts(Random(seed), room).values():
        outcome(call, UserError)
    context = room.app.context
    for viewer in ("anna", "eva"):
        Codings(context).disagreements(viewer, "preview")
        RatingQueue(context).disputes(viewer, "preview")
        InterviewBoard(room.talks.context).disagreements(viewer, "preview")
    with context.registry.begin(write=False) as unit:
        for rating in unit.ratings():
            for text in (rating.object, rating.rater, rating.value):
                text.encode()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_any_post_of_a_board_is_taken_or_refused_with_a_sentence(room, seed):
    posted(room, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_posts_of_each_board_are_taken_or_refused(room):
    for seed in range(1000):
        posted(room, seed)
