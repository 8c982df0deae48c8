"""A pool is cited by the authors of its sites, each once, as of its newest export."""

from __future__ import annotations

import json
from types import SimpleNamespace

from study_app.dataset.pooling.citation import cited_pool
from study_app.domain.study.study import Study

STUDY = Study.model_validate(
    {
        "schema": "study/1", "id": "one", "title": "One", "arms": [{"id": "plain", "control": True}],
        "allocation": {"method": "simple"},
        "stages": [{"id": "consent", "kind": "consent"}, {"id": "debrief", "kind": "debrief"}],
    }
)  # fmt: skip


def site(folder, name: str, exported_at: str, *authors: str):
    path = folder / name
    path.mkdir()
    described = {"author": [{"name": author} for author in authors]}
    (path / "dataset_description.json").write_text(json.dumps(described))
    return SimpleNamespace(path=path, name=name, study=STUDY, manifest={"exported_at": exported_at})


def test_the_date_is_that_of_the_newest_export_and_each_author_is_named_once(tmp_path):
    sites = [
        site(tmp_path, "north", "2026-03-01T10:00:00.000Z", "Ada", "Ben"),
        site(tmp_path, "south", "2026-02-28T23:00:00.000Z", "Ben", "Cleo"),
    ]
    cited = cited_pool(sites, "pool", "Both")
    assert cited.exported_on == "2026-03-01"
    assert [author.name for author in cited.release.authors] == ["Ada", "Ben", "Cleo"]
    assert (cited.study.id, cited.study.title) == ("pool", "Both")
