"""`study new` writes a study that passes `study check` at once; its files and all shipped ones fit their schemas."""

from __future__ import annotations

import itertools
import json
import random
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
from support.made_wheel import wheel
from typer.testing import CliRunner

from study_app.cli import app
from study_app.content import schemas
from study_app.content.languages.language_checks import content_texts
from study_app.content.library import FolderLibrary
from study_app.content.scaffold.content_texts import pack_texts
from study_app.content.scaffold.files import files_of
from study_app.content.scaffold.new_study import NewStudy, languages
from study_app.content.scaffold.study_text import study_text
from study_app.content.study_file import read_study
from study_app.dataset.schema.plan_fit import known_before

ROOT = Path(__file__).resolve().parents[2]
CHOICES = {
    "design": ("parallel", "crossover", "cluster", "waves"),
    "arms": (2, 3, 4),
    "library": ("sortedcontainers", "networkx", "numpy"),
    "language": languages(),
}


def pairwise() -> list[tuple[object, ...]]:
    """Few studies in which each two values of different options come together."""
    names = list(CHOICES)
    left = {
        ((one, a), (two, b))
        for one, two in itertools.combinations(names, 2)
        for a in CHOICES[one]
        for b in CHOICES[two]
    }
    every, found = list(itertools.product(*CHOICES.values())), []
    random.Random(1).shuffle(every)
    while left:
        met = {row: left & set(itertools.combinations(zip(names, row, strict=True), 2)) for row in every}
        best = max(every, key=lambda row: len(met[row]))
        found.append(best)
        left -= met[best]
    return found


def command(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def made(folder: Path, design: object, arms: object, library: object, language: object) -> Path:
    options = ("--design", design, "--arms", arms, "--library", library, "--language", language)
    code, output = command("new", folder, *options)
    assert code == 0, output
    return folder / "study.toml"


def problems_of(study: Path) -> list[object]:
    code, output = command("check", study, "--json")
    report = json.loads(output[output.index("{") :])
    assert (code == 0) == report["ok"]
    return list(report["problems"])


def test_a_new_study_passes_check_at_once(tmp_path):
    study = made(tmp_path / "My first-trial", "parallel", 3, "sortedcontainers", "en")
    assert problems_of(study) == []
    assert tomllib.loads(study.read_text())["id"] == "Myfirsttrial"
    assert len(list((study.parent / "tasks").iterdir())) == len(list((study.parent / "quizzes").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("row", pairwise(), ids=lambda row: "-".join(map(str, row)))
def test_new_studies_pass_check_pair_by_pair(tmp_path, row):
    assert problems_of(made(tmp_path / "study", *row)) == []


@pytest.mark.slow
def test_a_library_whose_import_has_another_name_is_imported_by_it(tmp_path):
    study = made(tmp_path / "study", "parallel", 2, "python-slugify", "es")
    (solution,) = study.parent.glob("tasks/*/solution.py")
    assert solution.read_text().startswith("import slugify\n")
    assert (study.parent / "requirements.txt").read_text().startswith("python-slugify==")
    assert problems_of(study) == []


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of wheels that the installers look in instead of the network."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for tool in ("UV", "PIP"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    return folder


def test_a_library_is_installed_pinned_and_imported_and_the_report_is_json(tmp_path, shelf):
    wheel(shelf, "1.5")
    done = CliRunner().invoke(app, ["new", str(tmp_path / "study"), "--library", "tea-pot", "--json"])
    assert done.exit_code == 0, done.output
    study = Path(json.loads(done.stdout)["study"])
    (solution,) = study.parent.glob("tasks/*/solution.py")
    assert solution.read_text().startswith("import teapot\n")
    assert (study.parent / "requirements.txt").read_text() == "tea-pot==1.5\n"
    assert problems_of(study) == []


@pytest.mark.sampled(2)
# PyYAML is installed beside study-app: its import name is known and is not what pip calls it.
@pytest.mark.parametrize("library", ["yaml", "tea-pot==9"])
@pytest.mark.parametrize("made_before", [False, True])
def test_a_library_that_cannot_be_installed_leaves_nothing_behind(tmp_path, shelf, library, made_before):
    folder = tmp_path / "study"
    if made_before:
        folder.mkdir()
    code, output = command("new", folder, "--library", library)
    assert (code, "Traceback" in output) == (1, False)
    assert f"error: --library: {library.partition('==')[0]} cannot be installed, so nothing was written" in output
    assert folder.exists() == made_before
    assert list(folder.glob("*")) == []


def test_every_file_of_a_new_study_imports_what_the_installed_library_offers():
    new = NewStudy(
        name="trial",
        arms=2,
        library="python-docx",
        version="1",
        language="en",
        design="parallel",
        module="docx",
    )
    lines = [line.partition("  #")[0].strip() for _, text in files_of(new) for line in text.splitlines()]
    imports = {line for line in lines if line.startswith(("import ", "packages"))}
    assert imports == {"import docx", 'packages = ["docx"]'}


PROSE = re.compile(r"```.*?```|`[^`]*`|\{\w+\}|\bsortedcontainers\b", re.DOTALL)
"""What is the same in every language: code, placeholders and the library's name."""


@pytest.mark.parametrize(
    "design",
    [pytest.param(each, marks=[] if each == "parallel" else [pytest.mark.slow]) for each in CHOICES["design"]],
)
def test_what_participants_of_a_new_study_read_is_all_in_its_language(tmp_path, design):
    texts = {}
    for language in languages():
        study = made(tmp_path / language / "trial", design, 4, "sortedcontainers", language)
        found = content_texts(FolderLibrary(read_study(study), study.parent, str(study)))
        texts[language] = {key.rpartition(".examples.")[0] or key: PROSE.sub("", text) for key, text in found.items()}
    alike = {"Quiz", "Python", "Assistant", "Task"}
    for language in set(texts) - {"en"}:
        assert texts[language].keys() == texts["en"].keys()
        left = {
            key: text
            for key, text in texts[language].items()
            if not key.endswith((".code", ".starter"))
            and text == texts["en"][key]
            and text.strip(" \n#:.") not in alike
            and re.search(r"[a-z]{2,}", text)
        }
        assert left == {}, language


@pytest.mark.parametrize("language", languages())
def test_what_people_agree_to_says_that_they_work_in_every_arm_and_come_back(language):
    """They read it before they are in any arm, so it has to fit the design."""
    bodies = {}
    for design in CHOICES["design"]:
        new = NewStudy(name="trial", arms=3, library="networkx", version="", language=language, design=design)
        (bodies[design],) = [
            stage["body"] for stage in tomllib.loads(study_text(new))["stages"] if stage["kind"] == "consent"
        ]
    phrases = tomllib.loads((ROOT / "study_app/content/scaffold/phrases.toml").read_text())[language]
    assert bodies["waves"].strip().endswith(phrases["consent_waves"])
    assert bodies["crossover"].strip() == phrases["consent_crossover"]
    assert bodies["parallel"] == bodies["cluster"] == phrases["consent"]


@pytest.mark.parametrize("language", languages())
def test_who_comes_back_reads_that_a_quiz_follows_before_its_clock_starts(language):
    new = NewStudy(name="trial", arms=2, library="networkx", version="", language=language, design="waves")
    stages = {stage["id"]: stage for stage in tomllib.loads(study_text(new))["stages"]}
    assert stages["retention"]["intro"]
    assert stages["retention"]["title"] != stages["quiz"]["title"]


def kind_of(path: Path) -> str | None:
    """What kind of file a TOML file of a study is."""
    named = {"study.toml": "study", "task.toml": "pack", "bank.toml": "bank"}
    folders = {
        "items": "item",
        "keys": "key",
        "assistants": "assistant",
        "personas": "persona",
        "interviews": "interview",
    }
    return named.get(path.name) or folders.get(path.parent.name)


def toml_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.toml")) if kind_of(path) and ".packages" not in path.parts]


FOLDERS = ("tasks", "quizzes", "assistants", "personas", "interviews", "examples")
SHIPPED = [ROOT / "study.toml", *(path for part in FOLDERS for path in toml_files(ROOT / part))]


def lacking(file: Path) -> set[str]:
    """Return the covariates and subgroups of a study's plan that the study does not ask for before it allocates."""
    study = read_study(file)
    if study.allocation.method == "sequence":
        return set()  # People are compared with themselves: the plan uses neither.
    named = (*study.analysis.covariates, *study.analysis.subgroups)
    return {entry.column for entry in named} - known_before(study)


@pytest.mark.parametrize("design", CHOICES["design"])
def test_the_plan_of_a_new_study_adjusts_for_what_the_study_asks(tmp_path, design):
    new = NewStudy(name="trial", arms=3, library="networkx", version="", language="es", design=design)
    (tmp_path / "study.toml").write_text(study_text(new))
    assert lacking(tmp_path / "study.toml") == set()


@pytest.mark.parametrize("file", [str(path.relative_to(ROOT)) for path in SHIPPED if path.name == "study.toml"])
def test_the_plan_of_a_shipped_study_adjusts_for_what_the_study_asks(file):
    assert lacking(ROOT / file) == set()


def test_comments_of_programs_are_in_the_language_of_a_new_study():
    for language, said in (("en", "# all names in it"), ("de", "# alle Namen darin"), ("fr", "# tous ses noms")):
        new = NewStudy(name="trial", arms=2, library="pint", version="", language=language, design="parallel")
        texts = dict(pack_texts(new, new.lessons[0]))
        for name in ("brief.md", "reference.md", "notes/concepts.md"):
            assert said in texts[name]
            assert "{" not in texts[name]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--arms", 1), "--arms"),
        (("--arms", 9), "--arms"),
        (("--language", "tlh"), "--language"),
        (("--design", "stepped"), "--design"),
        (("--library", "-rf"), "--library"),
        (("--library", "asyncio"), "part of Python"),
    ],
)
def test_what_cannot_be_written_is_one_line_and_writes_nothing(tmp_path, arguments, said):
    code, output = command("new", tmp_path / "study", *arguments)
    assert (code, said in output, "Traceback" in output) == (2, True, False)
    assert not (tmp_path / "study").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "mine.txt").write_text("mine")
    code, output = command("new", tmp_path / "study")
    assert (code, "is there already" in output) == (2, True)
    assert [path.name for path in (tmp_path / "study").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("kind", schemas.KINDS)
def test_every_shipped_file_fits_the_schema_of_its_kind(kind):
    check = jsonschema.Draft7Validator(schemas.schema_of(kind))
    files = [path for path in SHIPPED if kind_of(path) == kind]
    assert files
    found = {str(path): [e.message for e in check.iter_errors(tomllib.loads(path.read_text()))] for path in files}
    assert {path: errors for path, errors in found.items() if errors} == {}


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("study", {"schema": "study/1", "id": "a b"}),
        ("study", {"arms": [{"id": "x", "wieght": 2}]}),
        ("pack", {"id": "x", "title": "x", "limits": {"memory_mb": 1}}),
        ("bank", {"id": "x"}),
        ("item", {"id": "x", "kind": "essay"}),
        ("assistant", {"id": "x", "provider": "oracle"}),
    ],
)
def test_a_schema_finds_what_the_model_refuses(kind, wrong):
    assert not jsonschema.Draft7Validator(schemas.schema_of(kind)).is_valid(wrong)


@pytest.mark.parametrize("kind", ["study", "pack", "assistant"])
def test_a_schema_explains_its_keys(kind):
    properties = schemas.schema_of(kind)["properties"]
    explained = [key for key, part in properties.items() if part.get("description")]
    assert len(explained) >= 3, properties


def test_every_written_file_names_a_schema_that_is_there(tmp_path):
    study = made(tmp_path / "study", "parallel", 2, "sortedcontainers", "en")
    for path in toml_files(study.parent):
        first = path.read_text().splitlines()[0]
        assert first.startswith("#:schema "), path
        named = (path.parent / first.removeprefix("#:schema ")).resolve()
        assert named == study.parent / "schemas" / f"{kind_of(path)}.json"
        jsonschema.Draft7Validator(json.loads(named.read_text())).validate(tomllib.loads(path.read_text()))


def test_taplo_finds_a_misspelt_key(tmp_path):
    study = made(tmp_path / "study", "parallel", 2, "sortedcontainers", "en")
    lint = [Path(sys.executable).with_name("taplo"), "lint", str(study)]
    assert subprocess.run(lint, capture_output=True, check=False).returncode == 0
    study.write_text(study.read_text().replace("target_n", "traget_n"))
    assert subprocess.run(lint, capture_output=True, check=False).returncode != 0
