"""Unblindings and what was done after them leave with the dataset: by a number each, without names or arms."""

from __future__ import annotations

import json

import pytest
from support.trials.console_trial import Trial

from study_app.dataset.findings import VerifyReport
from study_app.dataset.reading.dataset import UntrustedDataset
from study_app.dataset.verification import verify
from study_app.dataset.verification.blinding import check_blinding
from study_app.domain.interaction.codes import SAMPLER
from study_app.domain.records import Rating
from study_app.domain.themes.marks import CODEBOOK_OBJECT
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.judging.rating import RatingQueue
from study_app.services.researcher.monitoring import Monitor


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path)
    yield made
    made.close()


def manifest(trial: Trial, name: str, **more) -> str:
    trial.app.grading.grade_pending = lambda: 0
    export(trial.app.context, trial.folder / name, **more)
    assert verify(trial.folder / name).findings == []
    return (trial.folder / name / "manifest.json").read_text()


def _not_after(audit: dict) -> None:
    audit["exclusions"][1]["after_unblinding"] = False


def _no_looks(audit: dict) -> None:
    audit["unblindings"] = []


def _strange_judge(audit: dict) -> None:
    audit["judgements_after_unblinding"] = [{"by": "person 9", "rubric": "points", "n": 1}]


def test_an_exclusion_by_who_has_seen_an_arm_is_marked_as_such(trial):
    before = trial.enter()
    trial.to_tasks(before)
    trial.app.lifecycle.unblind(before, "trying the button", "annamaria")
    assert Monitor(trial.app.context).unblinded() == []
    trial.app.lifecycle.launch()
    first, second = trial.enter("a"), trial.enter("b")
    for who in (first, second):
        trial.to_tasks(who)
        trial.clock.advance(minutes=1)
    trial.app.lifecycle.exclude(second, "wrong course", "annamaria")
    trial.clock.advance(minutes=1)
    trial.app.lifecycle.unblind(first, "ill", "annamaria")
    trial.clock.advance(minutes=1)
    trial.app.lifecycle.exclude(first, "looked odd", "annamaria")
    Monitor(trial.app.context).record_unblinding("bertholdt", f"replay {second}", "real")
    assert [name for name, *_ in Monitor(trial.app.context).unblinded()] == ["annamaria", "bertholdt"]
    text = manifest(trial, "out")
    audit = json.loads(text)["audit"]
    assert [(act["participant_id"], act["by"]) for act in audit["unblindings"]] == [(first, "person 1")]
    assert [(act["why"], act["after_unblinding"]) for act in audit["exclusions"]] == [
        ("wrong course", False),
        ("looked odd", True),
    ]
    assert [(act["by"], act["seen"]) for act in audit["looks"]] == [("person 2", "a replay")]
    # To hide that an exclusion came after, or the look before it, is found.
    for change in (_not_after, _no_looks, _strange_judge):
        changed = json.loads(text)
        change(changed["audit"])
        (trial.folder / "out" / "manifest.json").write_text(json.dumps(changed))
        assert "unblinding_differs" in verify(trial.folder / "out").counts
    assert "annamaria" not in text
    assert "bertholdt" not in text
    # The arm of the one, and what would tell it, stands nowhere beside the study's own list of arms.
    assert not any("arm" in act for acts in audit.values() if isinstance(acts, list) for act in acts)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, 0),
        ({"exclusions_after_unblinding": 3}, 1),
        ({"unblindings": 0, "looks": 0}, 1),
        ({"unblindings": 0, "looks": 0, "exclusions_after_unblinding": 0, "judgements_after_unblinding": 0}, 0),
    ],
)
def test_counts_of_a_dataset_for_everybody_agree_with_each_other(tmp_path, changed, found):
    counts = {"exclusions": 2, "unblindings": 1, "looks": 1}
    counts |= {"exclusions_after_unblinding": 1, "judgements_after_unblinding": 4} | changed
    report = VerifyReport(tmp_path)
    made = {"public": {}, "schema": "", "audit": {"counts": counts}}
    check_blinding(UntrustedDataset(tmp_path, report, made, {}, {}))
    assert report.counts.get("unblinding_differs", 0) == found


@pytest.mark.slow
def test_ratings_after_a_look_of_the_same_person_are_counted(trial):
    trial.app.lifecycle.launch()
    who = trial.enter("a")
    trial.to_tasks(who)
    trial.finish(who, "an answer that no key knows")
    queue = RatingQueue(trial.app.context)
    first, second = queue.answers_for("anna", "real")[:2]
    queue.rate("anna", first.object, dict.fromkeys([name for name, *_ in first.criteria], 0.0))
    trial.clock.advance(minutes=1)
    Monitor(trial.app.context).record_unblinding("anna", "queries", "real")
    trial.clock.advance(minutes=1)
    queue.rate("anna", second.object, dict.fromkeys([name for name, *_ in second.criteria], 0.0))
    audit = json.loads(manifest(trial, "out"))["audit"]
    assert audit["judgements_after_unblinding"] == [{"by": "person 1", "rubric": "points", "n": 1}]
    assert audit["judgements_after_unsealing"] == []


def test_ratings_after_unsealing_are_counted_whoever_gave_them_and_a_changed_count_is_found(trial):
    trial.app.lifecycle.launch()
    who = trial.enter("a")
    trial.to_tasks(who)
    trial.finish(who, "an answer that no key knows")
    queue = RatingQueue(trial.app.context)
    first, second = queue.answers_for("anna", "real")[:2]
    queue.rate("anna", first.object, dict.fromkeys([name for name, *_ in first.criteria], 0.0))
    trial.clock.advance(minutes=1)
    trial.app.lifecycle.close("enough")
    trial.app.lifecycle.unseal("the end")
    trial.clock.advance(minutes=1)
    for rater in ("anna", "bert"):
        queue.rate(rater, second.object, dict.fromkeys([name for name, *_ in second.criteria], 0.0))
    with trial.app.context.registry.begin() as unit:
        for name, rater in ((f"{CODEBOOK_OBJECT}v1", "anna"), (f"participant:{who}", SAMPLER)):
            unit.add_rating(Rating(name, name, rater, "", "themes", trial.clock.now()))
    text = manifest(trial, "out")
    audit = json.loads(text)["audit"]
    assert audit["judgements_after_unsealing"] == [{"rubric": "points", "n": 2}]
    assert audit["judgements_after_unblinding"] == []
    for said in ([], [{"rubric": "points", "n": 1}], [*audit["judgements_after_unsealing"], {"rubric": "x", "n": 1}]):
        changed = json.loads(text)
        changed["audit"]["judgements_after_unsealing"] = said
        (trial.folder / "out" / "manifest.json").write_text(json.dumps(changed))
        assert "unblinding_differs" in verify(trial.folder / "out").counts
    (trial.folder / "out" / "manifest.json").write_text(text)
    export(trial.app.context, trial.folder / "again", include_preview=True)
    assert verify(trial.folder / "again").findings == []
