"""The codebook in docs/ says what the code writes."""

from __future__ import annotations

import re

from support.trials.export_world import ROOT

from study_app.bootstrap import open_library
from study_app.domain.events import BROWSER_KINDS, SERVER_KINDS
from study_app.services.researcher.exporting.export import codebook_page


def test_the_codebook_is_current():
    library = open_library(ROOT / "study.toml")
    written = (ROOT / "docs" / "reference" / "codebook.md").read_text(encoding="utf-8")
    assert written == codebook_page(library.study, library), "run python scripts/generate_docs.py"


def test_the_codebook_of_a_dataset_explains_every_kind_of_event():
    library = open_library(ROOT / "study.toml")
    assert set(re.findall(r"^\| `(\w+)`", codebook_page(library.study, library), re.M)) >= BROWSER_KINDS | SERVER_KINDS


def test_every_finding_of_verify_is_explained():
    page = (ROOT / "docs" / "reference" / "dataset.md").read_text(encoding="utf-8")
    sources = (ROOT / "study_app" / "dataset" / "verification").glob("*.py")
    named = {name for path in sources for name in re.findall(r"report\.add\(\s*\"(\w+)\"", path.read_text())}
    named |= {f"{column}_differs" for column in "arm stratum allocation_index study_hash allocated_at".split()}
    assert named
    assert named <= set(re.findall(r"`(\w+)`", page)), named - set(re.findall(r"`(\w+)`", page))
