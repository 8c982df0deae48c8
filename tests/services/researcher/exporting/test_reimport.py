"""A dataset in a fresh database is exported again with the same tables, and what cannot come back is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from support.clock import HandClock
from support.trials import design_studies
from support.trials.console_trial import ROOT, NoSandbox, Trial
from support.trials.export_world import Walker, open_app, settle, table, trial
from support.trials.quiz_study import simulated
from support.trials.waves import Waves

from study_app.bootstrap import start
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.position import Waiting
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.exporting.reimport import reimport
from study_app.settings import Settings
from study_app.storage.restored_rows import put_back


def data_of(dataset):
    return {path.name: path.read_bytes() for path in (dataset / "data").iterdir()}


def fresh(folder, **settings):
    """The study of the trial over an empty database, some days later."""
    clock = HandClock()
    clock.at = trial().clock.at
    clock.advance(minutes=3000)
    return open_app(folder, clock, trial().folder / "study.toml", changed_ok=True, **settings)


def returns_the_same(app, dataset, folder, **options):
    reimport(app.context, dataset, put_back, who="test")
    export(app.context, folder / "again", **options)
    expected, found = data_of(dataset), data_of(folder / "again")
    assert found.keys() == expected.keys()
    for name, content in expected.items():
        assert found[name] == content, name
    # Its records are those of the new database, and what verify finds is what it found before.
    assert {each.name for each in verify(folder / "again").findings} <= {each.name for each in verify(dataset).findings}


def test_a_dataset_comes_back_with_the_same_bytes(tmp_path):
    app = fresh(tmp_path)
    returns_the_same(app, trial().dataset("all"), tmp_path, include_preview=True)
    with pytest.raises(ProblemsFound, match="holds 7 participants already; name a database that is not there yet"):
        reimport(app.context, trial().dataset("all"), put_back, who="test")
    app.close()


def test_a_trial_that_was_unsealed_comes_back_and_verify_finds_nothing(tmp_path):
    app = fresh(tmp_path)
    returns_the_same(app, trial().dataset("unsealed"), tmp_path)
    assert verify(tmp_path / "again").findings == []
    app.close()


def test_answers_come_back_as_values_of_their_type(tmp_path):
    for name in ("base", "again"):
        (tmp_path / name).mkdir()
    base, app = fresh(tmp_path / "base"), fresh(tmp_path / "again")
    Walker(base, base.context.clock).to_tasks().begin_tasks().solve_tasks().quiz().exit()
    settle(base)
    export(base.context, tmp_path / "dataset", include_preview=True)
    reimport(app.context, tmp_path / "dataset", put_back, who="test")

    def given(context):
        with context.registry.begin(write=False) as unit:
            return {(each.stage, each.item): each.response for each in unit.answers()}

    assert given(app.context) == given(base.context)
    base.close()
    app.close()


def test_whoever_waits_for_a_session_still_waits_for_the_same_moment(tmp_path):
    for name in ("base", "again"):
        (tmp_path / name).mkdir()
    base, again = (Waves(tmp_path / name, launched=False) for name in ("base", "again"))
    waiting, there = base.first_part("p1"), base.enter("p2")
    base.app.session.where(there)
    export(base.app.context, tmp_path / "dataset", include_preview=True)
    again.clock.at = base.clock.at
    reimport(again.app.context, tmp_path / "dataset", put_back, who="test")
    found, expected = (app.session.peek(waiting) for app in (again.app, base.app))
    assert isinstance(expected, Waiting)
    assert (type(found), found.stage.id, found.opens_at) == (Waiting, expected.stage.id, expected.opens_at)
    assert again.app.session.peek(there).participant.opens_at is None
    for each in (base, again):
        each.app.close()


def test_it_comes_back_from_postgres_and_from_parquet_too(tmp_path, postgres_url):
    app = fresh(tmp_path, database=postgres_url)
    parquet = tmp_path / "parquet"
    export(trial().app.context, parquet, include_preview=True, fmt="parquet")
    reimport(app.context, parquet, put_back, who="test")
    export(app.context, tmp_path / "again", include_preview=True)
    app.close()
    assert data_of(tmp_path / "again") == data_of(trial().dataset("all"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"public": {"k": 5}}, "was made for everybody"),
        ({"masked": True, "state": "closed"}, "is of a closed study: what would tell arms is withheld"),
        ({"study_hash": "0" * 64}, "is of version 000000000000.*give the study file with which it was exported"),
        ({"pool": {}}, "is a pool of several trials"),
    ],
)
def test_what_cannot_come_back_is_refused_and_nothing_is_stored(tmp_path, change, said):
    copy = tmp_path / "copy"
    shutil.copytree(trial().dataset("unsealed"), copy)
    manifest = json.loads((copy / "manifest.json").read_text()) | change
    (copy / "manifest.json").write_text(json.dumps(manifest))
    app = fresh(tmp_path)
    with pytest.raises(ProblemsFound, match=said):
        reimport(app.context, copy, put_back, who="test")
    with app.context.registry.begin(write=False) as unit:
        assert unit.participants() == []
    app.close()


def test_a_trial_over_clusters_comes_back_with_them_and_without_their_labels(tmp_path):
    path = design_studies.made(tmp_path, "base_simple")
    _, dataset = simulated(tmp_path, participants=4)
    app = start(Settings(path, f"sqlite:///{tmp_path}/again.db", tmp_path / "var", environment={}))
    assert all(row["cluster_id"] for row in table(dataset, "visits"))
    returns_the_same(app, dataset, tmp_path, include_simulated=True)
    app.close()


def test_labels_of_clusters_cannot_come_back(tmp_path):
    path = design_studies.made(tmp_path, "base_simple")
    app = start(Settings(path, f"sqlite:///{tmp_path}/study.db", tmp_path / "var", environment={}))
    export(app.context, tmp_path / "names", identified=True)
    with pytest.raises(ProblemsFound, match="names the clusters' labels.*take the export without --identified"):
        reimport(app.context, tmp_path / "names", put_back, who="test")
    app.close()


def test_a_trial_whose_amendment_renamed_an_assistant_and_changed_a_bank_comes_back(tmp_path):
    """Its first version names a file that is not there any more; its people met the bank of before."""
    here = Trial(tmp_path, launched=True)
    here.enter()
    here.close()
    for name in ("assistants", "quizzes"):
        (tmp_path / name).unlink()
        shutil.copytree(ROOT / name, tmp_path / name)
    for path, before, after in (
        ("study.toml", "assistants/full.toml", "assistants/complete.toml"),
        ("quizzes/trio/bank.toml", 'title = "Trio: ', 'title = "Amended: '),
    ):
        file = tmp_path / path
        assert before in file.read_text("utf-8")
        file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")
    (tmp_path / "assistants" / "full.toml").rename(tmp_path / "assistants" / "complete.toml")
    app = start(here.settings, clock=here.clock, sandbox=NoSandbox(), changed_ok=True)
    app.lifecycle.amend("a file has another name")
    app.enrol.enter(EntryRequest(link=app.links.create(1)[0].secret))
    app.lifecycle.close("enough")
    here.clock.advance(minutes=3000)
    app.lifecycle.unseal("analysis", "test")
    export(app.context, tmp_path / "dataset")
    app.close()
    settings = replace(here.settings, database=f"sqlite:///{tmp_path}/again.db", var=tmp_path / "var2")
    app = start(settings, clock=here.clock, sandbox=NoSandbox(), changed_ok=True)
    returns_the_same(app, tmp_path / "dataset", tmp_path)
    app.close()
    (kept,) = (tmp_path / "again" / "materials" / "versions").glob("quizzes_*/trio.json")
    assert "Trio: " in kept.read_text("utf-8")
