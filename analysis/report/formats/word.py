"""A manuscript as a Word file, by python-docx."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from analysis.report.formats.document import DocumentTable, Manuscript

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands in the file's properties, so that the same results give the same bytes."""


def as_docx(found: Manuscript, figures: Mapping[str, bytes]) -> bytes:
    """Return the manuscript as DOCX.

    Args:
        found: tables and figures.
        figures: name -> PNG.
    """
    document = Document()
    properties = document.core_properties
    properties.title, properties.author = found.title, ""
    properties.created = properties.modified = EPOCH
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = Cm(2)
    document.styles["Normal"].font.size = Pt(9)
    document.add_heading(found.title, level=1)
    for stamp in found.stamps:
        document.add_paragraph().add_run(stamp).bold = True
    for number, table in enumerate(found.tables, start=1):
        _table(document, number, table)
    for number, figure in enumerate(found.figures, start=1):
        if figure.name not in figures:
            continue
        document.add_picture(io.BytesIO(figures[figure.name]), width=Cm(17))
        document.add_paragraph(f"Figure {number}. {figure.caption}", style="Caption")
    document.add_paragraph(found.footer)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _table(document: Any, number: int, table: DocumentTable) -> None:
    document.add_paragraph(f"Table {number}. {table.caption}", style="Caption").paragraph_format.keep_with_next = True
    grid = document.add_table(rows=1, cols=len(table.header))
    grid.style, grid.autofit = "Light List", False
    for place, text in enumerate(table.header):
        _cell(grid.rows[0].cells[place], text, bold=True)
    _repeat(grid.rows[0])
    for row in table.rows:
        cells = grid.add_row().cells
        for place, text in enumerate(row):
            _cell(cells[place], text, right=_is_number(text))
    for column, share in zip(grid.columns, table.widths, strict=True):
        for cell in column.cells:
            cell.width = Cm(25.7 * share)
    document.add_paragraph(table.note)


def _cell(cell: Any, text: str, *, bold: bool = False, right: bool = False) -> None:
    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(text)
    run.bold, run.font.size = bold, Pt(8)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _is_number(text: str) -> bool:
    return bool(text) and text.lstrip("−<–∞ ")[:1].isdigit()


def _repeat(row: Any) -> None:
    """Let the header stand on every page that the table takes."""
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)
