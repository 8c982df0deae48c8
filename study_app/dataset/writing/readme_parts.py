"""Parts of a README that a dataset and a pool of datasets share: how it is read, and how it is cited."""

from __future__ import annotations

from collections.abc import Mapping

from study_app import __version__
from study_app.dataset.schema import GUARD_NOTE
from study_app.dataset.writing.citation import Cited
from study_app.dataset.writing.copied_rows import LONG_CELLS
from study_app.dataset.writing.files import Format

_CSV = (
    "Tables are in `data/`, UTF-8, comma-separated (RFC 4180), one JSON file of the same name beside each. "
    f"{GUARD_NOTE} Times are ISO 8601 in UTC. Import the tables into a spreadsheet, never open them by a double click: "
    "it would cut cells at 32,767 characters and may run what it takes for a formula."
)
_PARQUET = (
    "Tables are in `data/` as Parquet, one JSON file of the same name beside each; times are timestamps in UTC, yes "
    "and no are booleans, missing is null, text stands as it is, and the metadata say what columns mean. Psych-DS "
    "knows CSV tables only: its validator does not take this copy for one of its datasets."
)
_LONG = (
    f"A text that is too long for a cell is a file in `{LONG_CELLS}/`, and the cell has its path in brackets: nothing "
    "is cut."
)
_BLANKS = "The same holds for a text that ends in blanks: programs that read such files take them off."
_COPIES: Mapping[Format, str] = {
    "xlsx": "The same tables are sheets of one workbook, `data/..._tables.xlsx`, whose first sheet is the codebook. "
    "Every text is a text and never a formula, without the mark that CSV has; times are ISO 8601 in UTC, as texts; "
    "missing is an empty cell; characters that a workbook cannot hold are escaped as `_x000D_`. A table of more than "
    f"1,048,575 rows goes on in a further sheet. {_LONG}",
    "sav": "The same tables are SPSS files beside the CSV files (`.sav`), with labels of columns and values; times are "
    "moments in UTC, yes and no 1 and 0, missing texts are empty. A table of more than 100,000 rows goes on in "
    f"`..._part-2.sav`. {_LONG} {_BLANKS}",
    "dta": "The same tables are Stata files beside the CSV files (`.dta`), with labels of columns and of numbers "
    "(Stata has none for texts: the codebook says what they mean); times are moments in UTC (`%tc`), yes and no 1 and "
    f"0, missing texts are empty. A table of more than 100,000 rows goes on in `..._part-2.dta`. {_LONG} {_BLANKS}",
}


def reading(fmt: Format, renamed: Mapping[str, Mapping[str, str]]) -> str:
    """Say what the tables look like, and how Python and R read them.

    Args:
        fmt: of the dataset.
        renamed: table -> column -> its name in a copy for another program, where that is another.
    """
    parts = [_PARQUET if fmt == "parquet" else _CSV, _COPIES.get(fmt, "")]
    names = [f"`{t}.{c}` is `{shown}`" for t, columns in renamed.items() for c, shown in columns.items()]
    if names:
        parts.append(f"Names that the program does not take are others there: {', '.join(names)}.")
    kind = "\n\n".join(part for part in parts if part) + "\n\n"
    return (
        f"{kind}Durations are minutes in `participants` and seconds elsewhere.\n\n"
        '```python\nimport read\n\ntables = read.read()\npeople = tables["participants"]\n'
        'labels = read.labels("participants")\n```\n\n'
        '```r\nsource("read.R")\ntables <- read_dataset()\npeople <- tables$participants\n```\n\n'
        "Both are run in this folder, where `read.py` and `read.R` are. Two commands of study-app "
        f"{__version__}, which made it, go further: `study verify` checks the folder against its hashes, its "
        "allocation ledger and its log of edits, and `study analyze` computes the results. `datapackage.json` "
        "(Frictionless) and `croissant.json` (MLCommons) describe the same tables for other tools."
    )


def citing(cited: Cited) -> str:
    """Give the citation, the terms and the works that belong to it."""
    licence = cited.release.license
    sources = (
        f"Licence: {licence} ({cited.release.license_url})."
        if licence
        else ("No licence is given: ask the authors before you use or pass on the data.")
    )
    related = [f"- {work.relation}: {' '.join(filter(None, (work.citation, work.address)))}"
               for work in cited.release.related]  # fmt: skip
    return "\n\n".join(part for part in (cited.text, sources, "\n".join(related)) if part)
