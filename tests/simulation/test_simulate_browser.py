"""`study simulate --browser`: the way that simulated people take is the one that real pages offer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from study_app.bootstrap import start
from study_app.domain.errors import UserError
from study_app.settings import Settings
from study_app.simulation.browser import simulate_in_browser

ROOT = Path(__file__).parents[2]


def settings_in(folder) -> Settings:
    return Settings(ROOT / "study.toml", f"sqlite:///{folder}/study.db", folder, environment={})


@pytest.mark.browser
@pytest.mark.slow
def test_two_participants_walk_both_arms_in_a_real_browser(tmp_path):
    settings = settings_in(tmp_path)
    summary = simulate_in_browser(settings, participants=2, seed=3)
    assert summary.statuses == {"completed": 2}
    assert sum(summary.arms.values()) == 2
    app = start(settings)
    with app.world.registry.begin(write=False) as unit:
        assert {person.kind for person in unit.participants()} == {"simulated"}
        assert all(run.ended_by for run in unit.runs())
        assert any(event.kind == "edit" for event in unit.events())
    app.close()


def test_without_playwright_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setattr("study_app.simulation.browser._served", _Nothing)
    with pytest.raises(UserError, match="Playwright is not installed"):
        simulate_in_browser(settings_in(tmp_path), participants=1, seed=1)


def test_nobody_is_refused(tmp_path):
    with pytest.raises(UserError, match="--participants: 0"):
        simulate_in_browser(settings_in(tmp_path), participants=0, seed=1)


class _Nothing:
    def __init__(self, settings) -> None:
        pass

    def __enter__(self) -> str:
        return ""

    def __exit__(self, *error) -> None:
        pass
