"""Tables and figures for a manuscript: Word, LaTeX, PDF, each with every outcome, effects and checklists."""

from __future__ import annotations

import io
import json
import re

import docx
import pytest
from support.analysis.synthetic_trial import Trial, write

from analysis.cli import analyze
from analysis.report.formats.latex import escaped
from analysis.report.outcome_lines import arm_cell
from analysis.report.scales import decimal, decimals, decimals_of_spread, shown

CAPTIONS = ("Flow of participants", "Baseline characteristics", "Every outcome by arm", "Primary analyses",
            "Sensitivity analyses", "CONSORT 2025", "SAMPL guidelines", "ICH E9(R1): estimands")  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    base = tmp_path_factory.mktemp("formats")
    data = write(base / "data", Trial(n=48, arms=("no_ai", "ai", "hints"), plan={"replicates": 99}))
    analyze(data, base / "out", formats=("docx", "latex", "pdf"))
    return base / "out"


def row(**more):
    return {"unit": "points", "estimate": 1.0, "ci_low": None, "ci_high": None, "contrast": ["a", "b"], **more}


def test_word_holds_every_table_with_its_cells(made):
    document = docx.Document(io.BytesIO((made / "report.docx").read_bytes()))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert [caption for caption in (*CAPTIONS, "CONSORT extension: multi-arm trials") if caption not in text] == []
    cells = {cell.text for table in document.tables for line in table.rows for cell in line.cells}
    assert any(re.fullmatch(r"\d+/\d+ \(\d+%\)", cell) for cell in cells)
    assert any("rate ratio" in cell or "risk ratio" in cell for cell in cells)
    assert not any("log " in cell and "ratio" in cell for cell in cells)
    assert len(document.inline_shapes) >= 5


def test_latex_is_balanced_and_names_figures_that_are_there(made):
    source = (made / "report.tex").read_text(encoding="utf-8")
    for name in ("document", "longtable", "figure"):
        assert source.count(f"\\begin{{{name}}}") == source.count(f"\\end{{{name}}}") >= 1
    body = re.sub(r"\\[{}]", "", source)
    assert body.count("{") == body.count("}")
    named = re.findall(r"\{figures/([a-z_0-9]+)\.pdf\}", source)
    assert len(named) >= 5
    assert all((made / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF") for name in named)
    rows = [line for line in source.splitlines() if line.endswith(r"\\") and " & " in line]
    assert len(rows) > 60


def test_pdf_and_figures_are_files_of_their_kind(made):
    assert (made / "report.pdf").read_bytes().startswith(b"%PDF")
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (made / "figures").glob("*.png"))


@pytest.mark.slow
def test_the_same_results_give_the_same_bytes(made, tmp_path):
    data = made.parent / "data"
    analyze(data, tmp_path / "out", formats=("docx", "latex", "pdf"))
    for name in ("report.tex", "report.pdf"):
        assert (tmp_path / "out" / name).read_bytes() == (made / name).read_bytes()


def test_every_outcome_is_in_the_results_with_both_effects(made):
    result = json.loads((made / "results.json").read_text())
    found = {entry["outcome"]: entry for entry in result["outcomes"]}
    done = found["task_completed"]
    assert all(arm["n"] >= arm["count"] for arm in done["arms"].values())
    assert {effect["relative"]["unit"] for effect in done["effects"] if effect["relative"]} <= {"risk ratio"}
    assert all(effect["absolute"]["method"] == "newcombe" for effect in done["effects"])
    assert found["completion_minutes"]["effects"][0]["relative"]["method"] == "cox"
    ids = {entry["id"] for entry in result["estimates"]}
    for entry in found.values():
        for effect in entry["effects"]:
            assert effect["absolute"]["id"] in ids


def test_ratios_are_shown_as_ratios_and_shares_in_percent():
    seen = shown(row(unit="log hazard ratio", estimate=0.2136, ci_low=-0.3634, ci_high=0.7907))
    assert (seen.value, seen.interval, seen.unit) == ("1.24", "0.70 to 2.20", "hazard ratio")
    seen = shown(row(unit="log odds ratio", estimate=None, ci_low=-0.283))
    assert seen.interval == "0.75 to ∞"
    seen = shown(row(unit="proportion", estimate=-0.038, ci_low=-0.221, ci_high=0.142))
    assert (seen.value, seen.interval, seen.unit) == ("−3.8", "−22.1 to 14.2", "percentage points")
    alone = row(unit="proportion", estimate=0.5, ci_low=0.4, ci_high=0.6, contrast=None)
    assert shown(alone).unit == "%"
    assert shown({**alone, "method": "interaction"}).unit == "percentage points"


def test_decimals_follow_the_error():
    assert decimals(-1.759, -0.1695) == 2
    assert decimals(-250, 400) == 0
    assert decimals(0.0101, 0.0139) == 5
    assert decimals(1e-6, 3e-6) == 8
    assert [decimals_of_spread(sd) for sd in (12.0, 3.2, 0.41, None)] == [1, 1, 2, 2]
    assert decimal(-0.0001, 2) == "0.00"
    assert arm_cell("binary", {"n": 26, "count": 20, "percent": 76.9}, 1) == "20/26 (77%)"


def test_text_is_escaped_for_latex():
    assert escaped("50% of a_b & c − d") == r"50\% of a\_b \& c \ensuremath{-} d"
