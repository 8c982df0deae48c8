"""Do people recognise personas by their words? Guesses beside chance."""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy import stats

from study_app.domain.assistants.drift import ModelReply
from study_app.domain.assistants.persona_checks.guessing import RUBRIC, UNSURE, guessable, object_of, persona_of
from study_app.domain.interaction.codes import people


def persona_guesses(replies: list[ModelReply], ratings: pd.DataFrame | None, level: float = 0.95) -> dict[str, Any]:
    """Return each coder's and each persona's right guesses; empty without any guess.

    A coder's are held against chance, one over the number of personas, by an exact binomial test, with Wilson's
    interval; who cannot tell is not right. Of a persona the guesses of all coders are counted together.
    """
    if ratings is None or ratings.empty:
        return {}
    truth = {object_of(each): persona_of(each.treatment) for each in guessable(replies)}
    personas = sorted(set(truth.values()))
    own = ratings[ratings["rubric"].eq(RUBRIC)].sort_values("rated_at", kind="stable")
    newest: dict[tuple[str, str], str] = {}
    for name, coder, value in zip(own["object"], own["rater"], own["value"], strict=True):
        if str(name) in truth and people([str(coder)]):
            newest[str(coder), str(name)] = str(value)
    if not newest:
        return {}
    rows = [(coder, truth[name], value) for (coder, name), value in newest.items()]
    chance = 1 / len(personas)
    coders = {
        coder: _of_coder([(true, value) for who, true, value in rows if who == coder], chance, level)
        for coder in sorted({who for who, _, _ in rows})
    }
    by_persona = {
        persona: {
            "n": sum(true == persona for _, true, _ in rows),
            "right": sum(true == value == persona for _, true, value in rows),
            "unsure": sum(true == persona and value == UNSURE for _, true, value in rows),
        }
        for persona in personas
    }
    return {"chance": chance, "coders": coders, "personas": by_persona}


def _of_coder(guesses: list[tuple[str, str]], chance: float, level: float) -> dict[str, Any]:
    right = sum(true == value for true, value in guesses)
    test = stats.binomtest(right, len(guesses), chance)
    interval = test.proportion_ci(level, "wilson")
    return {
        "n": len(guesses), "right": right, "unsure": sum(value == UNSURE for _, value in guesses),
        "share": right / len(guesses), "ci_low": float(interval.low), "ci_high": float(interval.high),
        "p_value": float(test.pvalue),
    }  # fmt: skip
