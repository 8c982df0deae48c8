"""A dataset explains itself: what values mean, who made it, how it is cited, and how it is read."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from support.trials.export_world import table, trial

from analysis.data.dataset import Dataset, StudyMeta, Tables
from analysis.data.load import load
from study_app import __version__
from study_app.dataset.schema import TableSchema
from study_app.dataset.schema.tables import derived
from study_app.dataset.verification import verify
from study_app.dataset.writing.citation import Cited, citation_cff, datacite, schema_org
from study_app.dataset.writing.documents import yaml as as_yaml
from study_app.domain.errors import UserError
from study_app.domain.interaction.codebook import LABELS
from study_app.domain.study.release import DatasetAuthor, RelatedWork, Release
from study_app.services.researcher.exporting.export import export


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    out = tmp_path_factory.mktemp("parquet") / "dataset"
    export(trial().app.context, out, fmt="parquet")
    return out


def test_values_of_questions_have_their_labels_in_codebook_sidecar_and_parquet(parquet):
    dataset = trial().dataset("unsealed")
    asked = {question.id: question for question in trial().app.context.study.background_questions}
    book = (dataset / "documentation" / "codebook.md").read_text(encoding="utf-8")
    (sidecar,) = (dataset / "data").glob("*participants_data.json")
    described = {entry["name"]: entry for entry in json.loads(sidecar.read_text())["variableMeasured"]}
    (file,) = (parquet / "data").glob("*participants_data.parquet")
    schema = pq.read_schema(file)
    choices = [question for question in asked.values() if question.options]
    assert choices
    for question in choices:
        labels = {str(option.value): option.label for option in question.options}
        terms = {term["termCode"]: term["name"] for term in described[question.id]["valueReference"]}
        assert labels.items() <= terms.items()
        assert json.loads(schema.field(question.id).metadata[b"labels"]).items() >= labels.items()
        line = next(line for line in book.splitlines() if line.startswith(f"| `{question.id}` |"))
        assert all(
            f"{value} = {' '.join(label.split())}" in line.replace("\\|", "|") for value, label in labels.items()
        )


def test_the_ends_of_every_scale_are_named():
    dataset = load(trial().dataset("unsealed"))
    scales = [q for q in trial().app.context.study.exit_questions if q.kind == "scale" and q.low_label]
    assert scales
    for question in scales:
        assert dataset.labels[question.id][str(question.low)] == question.low_label


def test_sidecars_and_description_use_terms_of_schema_org_only():
    legal = set(
        "@context @type name description additionalType unitText valueReference termCode minValue maxValue "
        "distribution variableMeasured keywords schemaVersion inLanguage dateCreated author identifier affiliation "
        "license version publisher citation funder funding subjectOf url temporalCoverage".split()
    )

    def names(value):
        if isinstance(value, dict):
            yield from value
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from names(inner)

    dataset = trial().dataset("launched")
    for file in (dataset / "dataset_description.json", *(dataset / "data").glob("*.json")):
        assert set(names(json.loads(file.read_text(encoding="utf-8")))) <= legal


def test_a_name_that_means_different_things_in_two_tables_is_described_for_each():
    dataset = trial().dataset("unsealed")
    described = json.loads((dataset / "dataset_description.json").read_text())["variableMeasured"]
    ended = next(entry for entry in described if entry["name"] == "ended_by")
    assert "in visits:" in ended["description"]
    assert "in runs:" in ended["description"]
    assert "valueReference" not in ended


def test_no_sentence_says_that_an_export_with_free_text_is_anonymous():
    dataset = trial().dataset("unsealed")
    text = "".join(path.read_text() for path in dataset.rglob("*") if path.suffix in (".md", ".json"))
    assert "nothing else identifies" not in text
    assert "free text as people wrote it" in (dataset / "README.md").read_text()


def test_a_dataset_brings_what_participants_met_and_how_columns_are_made():
    dataset, study = trial().dataset("unsealed"), trial().app.context.study
    for name in study.assistants:
        assistant = json.loads((dataset / f"materials/assistants/{name}.json").read_text(encoding="utf-8"))
        assert assistant["model"]
        assert "parameters" in assistant
    for folder in {folder for stage in study.stages for folder in stage.packs}:
        pack = trial().app.library.pack(folder)
        notes = dataset / f"materials/tasks/{pack.id}/reference.md"
        assert (notes.read_text(encoding="utf-8") if notes.exists() else "") == pack.reference
    assert "[welcome]" in (dataset / "materials/texts/pages/en.toml").read_text(encoding="utf-8")
    assert (dataset / "materials/packages.txt").exists()
    coding = (dataset / "documentation/coding.md").read_text(encoding="utf-8")
    assert all(f"| `{label}` |" in coding for label in LABELS)
    assert "completion_event" in (dataset / "documentation/derivations.md").read_text(encoding="utf-8")
    pointed = [path for path in dataset.rglob("*") if path.suffix in (".md", ".json") and path.is_file()]
    assert not [path for path in pointed if "docs/reference" in path.read_text(encoding="utf-8")]


def test_the_readme_names_every_file_beside_tables_and_materials_and_what_verifies_them(tmp_path):
    export(trial().app.context, tmp_path / "public", public=True)
    for dataset in (*map(trial().dataset, ("draft", "launched", "closed", "unsealed")), tmp_path / "public"):
        readme = (dataset / "README.md").read_text(encoding="utf-8")
        there = {path.relative_to(dataset).as_posix() for path in dataset.rglob("*") if path.is_file()}
        beside = {name for name in there if not name.startswith(("data/", "materials/", ".", "README"))}
        assert len(beside) > 12
        assert [name for name in beside if Path(name).name not in readme] == []
        named = set(re.findall(r"`([\w/.]+\.(?:md|json|csv|cff))`", readme))
        assert {name for name in named if name not in there and f"documentation/{name}" not in there} == set()
        assert f"study-app {__version__}" in readme


def test_the_page_on_derivations_speaks_of_every_table_that_is_derived():
    page = trial().dataset("unsealed") / "documentation" / "derivations.md"
    tables = {each.name for each in vars(derived).values() if isinstance(each, TableSchema)}
    assert {"agent_actions", "interviews", "probes"} <= tables
    said = page.read_text(encoding="utf-8")
    assert {name for name in tables if f"`{name}`" not in said} == set()


@pytest.mark.parametrize("state", ["launched", "closed"])
def test_while_arms_are_hidden_no_assistant_and_no_completion_code_is_in_the_materials(state):
    dataset, context = trial().dataset(state), trial().app.context
    assert not (dataset / "materials" / "assistants").exists()
    held = "".join(path.read_text(encoding="utf-8") for path in dataset.rglob("*") if path.is_file())
    codes = context.study.recruitment.codes.model_dump()
    assert not [code for code in codes.values() if isinstance(code, str) and len(code) > 3 and f'"{code}"' in held]


def test_the_readme_says_how_many_when_and_how_to_cite():
    dataset = trial().dataset("unsealed")
    readme = (dataset / "README.md").read_text(encoding="utf-8")
    assert f"{len(table(dataset, 'participants'))} participants" in readme
    assert "They took part between 20" in readme
    assert "## Citing it" in readme
    assert all(f"- arm `{arm.id}`" in readme for arm in trial().app.context.study.arms)


def test_the_reader_in_the_dataset_runs_there_and_types_what_it_reads(parquet):
    frames = {}
    for folder in (trial().dataset("unsealed"), parquet):
        run = subprocess.run(
            [sys.executable, "-B", "-c", "import read; read.read()['events'].to_pickle('/dev/stdout')"],
            cwd=folder, capture_output=True, check=True,
        )  # fmt: skip
        assert run.stdout
        said = subprocess.run(
            [sys.executable, "read.py"], cwd=folder, capture_output=True, text=True, check=True
        ).stdout
        assert f"participants: {len(table(trial().dataset('unsealed'), 'participants'))} rows" in said
        frames[folder] = said
    assert len(set(frames.values())) == 1


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_reader_for_r_runs_in_the_dataset():
    dataset = trial().dataset("unsealed")
    code = (
        'if (!requireNamespace("jsonlite", quietly = TRUE)) quit(status = 77); source("read.R"); t <- read_dataset();'
        'people <- t$participants; cat(nrow(people), class(t$events$server_time)[1], sum(t$answers$response == "=1+1", '
        'na.rm = TRUE) > 0, levels(factor_of(people$occupation))[1], sep = "|")'
    )
    run = subprocess.run(["Rscript", "-e", code], cwd=dataset, capture_output=True, text=True, check=False)
    if run.returncode == 77:
        pytest.skip("the R package jsonlite is not installed")
    assert run.returncode == 0, run.stderr
    count, kind, unguarded, first = run.stdout.split("|")
    asked = next(q for stage in trial().app.context.study.stages for q in stage.questions if q.id == "occupation")
    assert (int(count), kind, unguarded) == (len(table(dataset, "participants")), "POSIXct", "TRUE")
    assert first == asked.options[0].label


def test_csv_and_parquet_give_the_analysis_equal_frames(parquet):
    one, other = load(trial().dataset("unsealed")), load(parquet)
    assert list(one.tables) == list(other.tables)
    for name in one.tables:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])


def test_times_are_times_payloads_objects_and_text_unguarded():
    dataset = load(trial().dataset("unsealed"))
    events = dataset.events("answered")
    assert str(dataset.tables["events"]["server_time"].dtype) == "datetime64[ms, UTC]"
    assert all(isinstance(payload, dict) for payload in events["payload"])
    assert "=1+1" in set(dataset.tables["answers"]["response"])


def test_the_code_at_a_moment_is_what_stood_in_the_editor_then():
    """Two pages, one after the other, an emoji of two units, and a second task."""
    edits = [
        ("a", "load", "trio_timer", {"text": "x = 1\n"}),
        ("a", "edit", "trio_timer", {"changes": [{"from": 4, "to": 5, "insert": "\U0001f600"}]}),
        ("a", "edit", "trio_timer", {"changes": [{"from": 6, "to": 6, "insert": "!"}]}),
        ("b", "load", "trio_timer", {"text": "y = 2\n"}),
        ("b", "load", "trio_users", {"text": "z"}),
        ("b", "edit", "trio_timer", {"changes": [{"from": 0, "to": 1, "insert": "w"}]}),
    ]
    rows = [
        ("p1", page, number, kind, pd.Timestamp(f"2026-01-01T00:00:0{number}Z"), payload | {"task": task})
        for number, (page, kind, task, payload) in enumerate(edits)
    ]
    frame = pd.DataFrame(rows, columns=["participant_id", "page", "seq", "kind", "server_time", "payload"])
    dataset = Dataset(Path("d"), Tables({}, {"events": frame}), StudyMeta(), "")
    assert dataset.code_at("p1", "2026-01-01T00:00:01Z") == {"trio_timer": "x = \U0001f600\n"}
    assert dataset.code_at("p1", "2026-01-01T00:00:02") == {"trio_timer": "x = \U0001f600!\n"}
    assert dataset.code_at("p1", "2026-01-01T01:00:03+01:00", "trio_timer") == {"trio_timer": "y = 2\n"}
    assert dataset.code_at("p1", "2026-01-02") == {"trio_timer": "w = 2\n", "trio_users": "z"}
    with pytest.raises(UserError, match="'p2' has no loads"):
        dataset.code_at("p2", "2026-01-02")


RELEASE = Release(
    license="CC-BY-4.0",
    authors=(
        DatasetAuthor(
            name="Josiah Carberry, PhD", family="Carberry", orcid="0000-0002-1825-0097", affiliation="Brown; Psych"
        ),
        DatasetAuthor(name="Ana Sanz"),
    ),
    doi="https://doi.org/10.5281/zenodo.1234567",
    version="1.0",
    publisher="Zenodo",
    registration="https://osf.io/abcde",
    related=(RelatedWork(doi="10.48550/arXiv.2601.20245", relation="IsSupplementTo", citation="Shen & Tamkin"),),
)


def cited() -> Cited:
    return Cited(trial().app.context.study, RELEASE, "2026-11-26", ("2026-01-05", "2026-03-01"))


def test_authors_are_never_split_at_commas_and_carry_orcid_and_affiliation():
    authors = schema_org(cited())["author"]
    assert [author["name"] for author in authors] == ["Josiah Carberry, PhD", "Ana Sanz"]
    assert authors[0]["identifier"] == "https://orcid.org/0000-0002-1825-0097"
    assert datacite(cited())["creators"][0]["affiliation"] == [{"name": "Brown; Psych"}]


def test_citation_cff_is_yaml_that_says_the_same():
    content = citation_cff(cited())
    assert yaml.safe_load(as_yaml(content)) == content
    assert content["doi"] == "10.5281/zenodo.1234567"
    assert content["authors"][0]["family-names"] == "Carberry"


def test_each_entry_of_the_release_stands_in_the_export(tmp_path):
    release = Release.model_validate(
        {
            "license": "CC-BY-4.0",
            "authors": [{"name": "Ana Sanz"}],
            "publisher": "Zenodo",
            "version": "9.8",
            "doi": "10.5281/zenodo.77",
            "registration": "https://osf.io/abcde",
            "funders": [{"name": "A Funder", "award": "G-17"}],
            "related": [
                {"doi": "10.1234/one", "relation": "IsVersionOf", "citation": "One (2025)"},
                {"url": "https://example.net/two"},
            ],
            "keywords": ["networks"],
        }
    )
    context = trial().app.context
    named = dataclasses.replace(context, study=context.study.model_copy(update={"dataset": release}))
    export(named, tmp_path / "dataset")
    text = "".join(
        (tmp_path / "dataset" / name).read_text(encoding="utf-8")
        for name in ("dataset_description.json", "CITATION.cff", "documentation/datacite.json", "README.md")
    )
    for said in ("CC-BY-4.0", "Ana Sanz", "Zenodo", "9.8", "10.5281/zenodo.77", "https://osf.io/abcde", "A Funder",
                 "G-17", "10.1234/one", "IsVersionOf", "One (2025)", "https://example.net/two"):  # fmt: skip
        assert said in text, said
    assert verify(tmp_path / "dataset").ok


def test_a_release_is_no_part_of_the_protocols_hash():
    study = trial().app.context.study
    assert study.model_copy(update={"dataset": RELEASE}).canonical() == study.canonical()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"doi": "zenodo 12"}, "is not a DOI"),
        ({"authors": [{"name": "A", "orcid": "0000-0002-1825-0098"}]}, "check digit"),
        ({"related": [{"citation": "no address"}]}, "neither doi nor url"),
        ({"registration": "osf.io/abc"}, "pattern"),
    ],
)
def test_a_wrong_entry_of_the_release_is_refused(table, said):
    with pytest.raises(ValueError, match=said):
        Release.model_validate(table)
