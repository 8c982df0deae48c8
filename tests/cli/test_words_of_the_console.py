"""What commands print fits the study: the last session has none after it, and an interval its level."""

from __future__ import annotations

from study_app.cli.analysing import _estimate_line
from study_app.cli.life import _say_closed_wave

ROW = {
    "id": "y.noninferiority", "outcome": "y", "contrast": ["b", "a"], "estimate": 0.5, "unit": "points",
    "ci_low": 0.1, "ci_high": 0.9, "p_value": None, "p_adjusted": None, "note": "",
}  # fmt: skip


def test_an_interval_of_another_level_than_95_percent_is_printed_with_it():
    assert _estimate_line(ROW | {"ci_level": 0.8}) == "y (b - a): 0.5 points [0.1, 0.9] (80%)"
    assert _estimate_line(ROW | {"ci_level": 0.95}) == "y (b - a): 0.5 points [0.1, 0.9]"


def test_after_the_last_session_no_later_one_is_said_to_go_on(capsys):
    _say_closed_wave(0, 2, 0, as_json=False)
    assert "ater session" not in capsys.readouterr().out
    _say_closed_wave(0, 1, 1, as_json=False)
    said = capsys.readouterr().out
    assert "no change to session 1. Later sessions go on." in said
    assert "one before it" not in said
