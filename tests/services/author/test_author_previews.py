"""An author's previews: on any screen, in any arm, with or without a clock, on the study as it is written now."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from study_app.bootstrap import follow_files, start
from study_app.content.study_file import validate_study
from study_app.domain.errors import Malformed
from study_app.services.author.screens import screens_of
from study_app.services.identity import hashed
from study_app.settings import Settings
from study_app.ui.author.bar import bar_html

STUDY = """
schema = "study/1"
id = "authored"
title = "Authored"
[[arms]]
id = "plain"
control = true
instructions = "Go."
[[arms]]
id = "pledged"
label = "With a promise"
instructions = "Go on."
pledge = "I promise."
[allocation]
method = "simple"
[[sessions]]
id = "main"
[[sessions]]
id = "later"
delay_days = 14
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "background"
kind = "survey"
title = "About you"
minutes = 5
intro = "Soon."
questions = [{ id = "years", kind = "number", prompt = "Years?" }]
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "again"
kind = "survey"
session = "later"
questions = [{ id = "mood", kind = "text", prompt = "Mood?" }]
[[stages]]
id = "debrief"
kind = "debrief"
session = "later"
"""


@pytest.fixture
def study(tmp_path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture
def app(study, tmp_path):
    made = start(Settings(study_file=study, database=f"sqlite:///{tmp_path}/author.db", var=tmp_path / "var"))
    follow_files(made)
    yield made
    made.close()


def changed(app, study: Path, before: str, after: str) -> None:
    text = study.read_text()
    assert before in text
    study.write_text(text.replace(before, after))
    while not app.author.files.look():
        pass


def whose(app, token: str):
    with app.context.registry.begin(write=False) as unit:
        return unit.participant_of_token(hashed(token), app.context.now())


def test_every_screen_can_be_gone_to_in_every_arm(app):
    keys = [screen.key for screen in app.author.previews.screens()]
    assert keys == [
        "consent/0/stage", "background/0/intro", "background/0/stage", "instructions/0/stage",
        "again/0/waiting", "again/0/stage", "end/0/end",
    ]  # fmt: skip
    token = None
    for arm in ("plain", "pledged"):
        for key in keys:
            token = app.author.previews.go(token, key, arm)
            place = app.session.where(whose(app, token).id)
            stage, _, show = key.split("/")
            assert (place.screen, place.participant.stage) == (show, stage)
            assert place.arm is None or place.arm.id == arm
            assert place.participant.kind == "preview"


def test_a_preview_is_in_the_language_that_was_chosen_last(tmp_path):
    file = tmp_path / "study.toml"
    head = 'languages = ["en", "de"]\n'
    file.write_text(head + STUDY)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "de.toml").write_text('[content.stages.background]\ntitle = "Über Sie"\n')
    app = start(Settings(study_file=file, database=f"sqlite:///{tmp_path}/author.db", var=tmp_path / "var"))
    follow_files(app)
    previews = app.author.previews
    token = previews.go(None, "background/0/stage", "plain")
    for language, title in (("", "About you"), ("de", "Über Sie"), ("", "Über Sie"), ("en", "About you")):
        token = previews.go(token, "background/0/stage", "plain", language)
        assert app.session.where(whose(app, token).id).stage.title == title
    with pytest.raises(Malformed, match="not offered in 'fr'; use one of: en, de"):
        previews.go(token, "background/0/stage", "plain", "fr")
    app.close()


def test_an_unknown_screen_or_arm_is_refused_in_a_sentence(app):
    with pytest.raises(Malformed, match="there is no 'quiz/0/stage' in this study"):
        app.author.previews.go(None, "quiz/0/stage", "plain")
    with pytest.raises(Malformed, match="use one of: plain, pledged"):
        app.author.previews.go(None, "consent/0/stage", "third")


def test_previews_follow_the_file_with_text_limit_and_stage(app, study):
    token = app.author.previews.go(None, "background/0/stage", "plain")
    before = app.session.where(whose(app, token).id)
    changed(app, study, 'title = "About you"\nminutes = 5', 'title = "Of you"\nminutes = 9')
    after = app.session.where(whose(app, token).id)
    assert (after.stage.title, after.participant.step) == ("Of you", 0)
    assert (after.deadline_at - before.deadline_at).total_seconds() == 240
    changed(app, study, 'id = "background"', 'id = "renamed"')
    assert app.session.where(whose(app, token).id).participant.stage == "consent"


def test_an_arm_that_is_gone_becomes_the_control(app, study):
    token = app.author.previews.go(None, "instructions/0/stage", "pledged")
    changed(app, study, 'id = "pledged"', 'id = "sworn"')
    assert app.session.where(whose(app, token).id).arm.id == "plain"


def test_a_broken_file_keeps_the_last_good_version_and_says_what_is_wrong(app, study):
    token = app.author.previews.go(None, "background/0/stage", "plain")
    for broken in ('kind = "surveyy"', 'kind = "survey'):
        changed(app, study, 'kind = "survey"\ntitle', f"{broken}\ntitle")
        problems = app.author.files.problems
        assert problems
        assert problems[0].file == str(study)
        assert app.session.where(whose(app, token).id).stage.title == "About you"
        changed(app, study, f"{broken}\ntitle", 'kind = "survey"\ntitle')
        assert app.author.files.problems == ()


def test_a_file_that_is_still_being_written_is_not_read(app, study):
    for piece in (STUDY[:40], STUDY[:90], STUDY.replace("About you", "Of you")):
        study.write_text(piece)
        assert app.author.files.look() is False
    assert app.author.files.look() is True
    assert app.author.files.problems == ()


def test_a_stopped_clock_has_no_deadline_and_a_started_one_the_full_limit(app):
    previews = app.author.previews
    token = previews.go(None, "background/0/stage", "plain")
    assert app.session.where(whose(app, token).id).deadline_at is not None
    previews.set_clock(stopped=True)
    assert app.session.where(whose(app, token).id).deadline_at is None
    other = previews.go(token, "background/0/intro", "plain")
    assert app.session.begin_stage(whose(app, other).id, "background").deadline_at is None
    previews.set_clock(stopped=False)
    place = app.session.where(whose(app, other).id)
    assert 290 < (place.deadline_at - place.now).total_seconds() <= 300


AGAIN = """
[second_decision]
stage = "more"
responds = "mood_now >= 4"
[[second_decision.treatments]]
id = "stay"
[[second_decision.treatments]]
id = "longer"
label = "A longer text"
instructions = "Go on, and on."
[[stages]]
id = "halfway"
kind = "survey"
questions = [{ id = "mood_now", kind = "scale", low = 1, high = 7, prompt = "Mood?" }]
[[stages]]
id = "more"
kind = "instructions"
"""


def test_screens_behind_a_second_decision_are_shown_with_each_of_its_treatments(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(STUDY.replace('[[stages]]\nid = "again"', f'{AGAIN}[[stages]]\nid = "again"'))
    app = start(Settings(study_file=file, database=f"sqlite:///{tmp_path}/author.db", var=tmp_path / "var"))
    follow_files(app)
    previews, token = app.author.previews, None
    assert previews.arms() == (
        "plain", "plain/stay", "plain/longer", "pledged", "pledged/stay", "pledged/longer",
    )  # fmt: skip
    shown = {}
    for arm in previews.arms():
        for screen in ("instructions/0/stage", "more/0/stage"):
            token = previews.go(token, screen, arm)
            place = app.session.where(whose(app, token).id)
            shown[arm, place.stage.id] = (place.arm.instructions, place.participant.responded)
    for arm in previews.arms():
        first = "Go." if arm.startswith("plain") else "Go on."
        assert shown[arm, "instructions"] == (first, None)
        responded = "/" not in arm
        assert shown[arm, "more"] == ("Go on, and on." if arm.endswith("longer") else first, responded)
    with pytest.raises(Malformed, match="there is no 'plain/never' in this study"):
        previews.go(token, "more/0/stage", "plain/never")
    bar = bar_html(app.author, app, app.session.where(whose(app, token).id))
    assert "With a promise, then A longer text" in bar
    assert "arm=pledged%2Flonger" in bar
    changed(app, file, 'id = "longer"', 'id = "shorter"')
    person = app.session.where(whose(app, token).id).participant
    assert (person.arm, person.second_treatment) == ("pledged", None)
    app.close()


def test_screens_of_stages_with_one_title_are_named_with_the_stages_ids():
    quiz = {"kind": "quiz", "title": "Quiz", "minutes": 5, "bank": "quizzes/any"}
    raw = tomllib.loads(STUDY)
    raw["stages"][3:3] = [{"id": "first", **quiz}, {"id": "twice", **quiz}]
    titles = [screen.title for screen in screens_of(validate_study(raw, "study.toml"), lambda _stage: ("",))]
    assert {"Quiz (first)", "Quiz (twice)"} <= set(titles)
    assert len(set(titles)) == len(titles)
