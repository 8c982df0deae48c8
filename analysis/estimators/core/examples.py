"""Small tables for the examples in the methods' texts."""

from __future__ import annotations

import pandas as pd


def two_arms() -> pd.DataFrame:
    """Twelve people in two arms: a score, two covariates, a stratum, a 0/1 result, minutes with a cap at 35."""
    return pd.DataFrame(
        {
            "arm": ["ai"] * 6 + ["no_ai"] * 6,
            "score": [11.0, 14, 9, 16, 12, 10, 17, 15, 19, 13, 20, 18],
            "warmup": [8.0, 6, 10, 4, 7, 9, 7, 8, 5, 10, 4, 6],
            "years": [2.0, 3, 1, 4, 3, 2, 3, 2, 4, 1, 4, 3],
            "stratum": ["low", "low", "low", "high", "high", "high"] * 2,
            "done": [1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1],
            "minutes": [20.0, 22, 35, 18, 25, 30, 35, 28, 35, 31, 35, 24],
            "errors": [1, 0, 2, 1, 0, 3, 4, 2, 5, 3, 2, 6],
            "used_ai": [1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0],
            "rating": [3, 4, 2, 4, 3, 3, 2, 3, 1, 2, 3, 2],
            "class": ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e", "f", "f"],
        }
    )


def three_arms() -> pd.DataFrame:
    """Fifteen people in three arms."""
    return pd.DataFrame(
        {
            "arm": ["none"] * 5 + ["full"] * 5 + ["hints"] * 5,
            "score": [10.0, 12, 9, 11, 13, 8, 9, 7, 11, 10, 14, 12, 13, 15, 11],
        }
    )


def four_arms() -> pd.DataFrame:
    """Twelve people: with and without help, on a task that can be done and on one that cannot."""
    return pd.DataFrame(
        {
            "arm": ["none"] * 3 + ["ai"] * 3 + ["none_variant"] * 3 + ["ai_variant"] * 3,
            "score": [10.0, 12, 11, 13, 15, 14, 9, 8, 10, 12, 16, 14],
            "done": [1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1],
        }
    )


def two_decisions() -> pd.DataFrame:
    """Sixteen people in two arms; those who did not respond were randomised among two second treatments."""
    return pd.DataFrame(
        {
            "arm": ["plain"] * 8 + ["tips"] * 8,
            "responded": [1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0],
            "second_treatment": [None, None, *["more", "stay"] * 3, None, None, None, None, *["more", "stay"] * 2],
            "first_probability": [0.5] * 16,
            "second_probability": [None, None, *[0.5] * 6, None, None, None, None, *[0.5] * 4],
            "score": [12.0, 14, 11, 10, 9, 8, 13, 12, 15, 14, 13, 17, 12, 9, 14, 13],
            "warmup": [8.0, 6, 10, 4, 7, 9, 7, 8, 5, 10, 4, 6, 7, 5, 9, 8],
        }
    )


def crossed_factors() -> pd.DataFrame:
    """Twelve people in two by two cells."""
    return pd.DataFrame(
        {
            "help": ["none"] * 6 + ["some"] * 6,
            "pace": (["free"] * 3 + ["timed"] * 3) * 2,
            "score": [10.0, 12, 9, 11, 14, 10, 14, 12, 15, 13, 15, 14],
            "warmup": [8.0, 6, 10, 4, 7, 9, 7, 8, 5, 10, 4, 6],
        }
    )
