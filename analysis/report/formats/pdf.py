"""A manuscript as PDF, by fpdf2, in the font that matplotlib brings."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
from fpdf import FPDF
from fpdf.fonts import FontFace

from analysis.report.formats.document import DocumentTable, Manuscript

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands in the file's properties, so that the same results give the same bytes."""
FONT = "DejaVu"
WIDE = 255.0
"""Millimetres that a table or figure may take."""


class PdfPage(FPDF):
    """A4 across, with the provenance and a page number below."""

    below = ""

    def footer(self) -> None:
        """Write the line below each page."""
        self.set_y(-12)
        self.set_font(FONT, size=6)
        self.cell(0, 4, f"{self.below} · {self.page_no()}", align="R")


def as_pdf(found: Manuscript, figures: Mapping[str, bytes]) -> bytes:
    """Return the manuscript as PDF.

    Args:
        found: tables and figures.
        figures: name -> PNG.
    """
    page = PdfPage(orientation="landscape", format="A4")
    page.below = found.footer
    page.set_creation_date(EPOCH)
    page.set_title(found.title)
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    page.add_font(FONT, "", fonts / "DejaVuSans.ttf")
    page.add_font(FONT, "B", fonts / "DejaVuSans-Bold.ttf")
    page.set_auto_page_break(True, margin=16)
    page.add_page()
    page.set_font(FONT, "B", 14)
    page.multi_cell(0, 7, found.title, new_x="LMARGIN", new_y="NEXT")
    for stamp in found.stamps:
        page.set_font(FONT, "B", 8)
        page.multi_cell(0, 5, stamp, new_x="LMARGIN", new_y="NEXT")
    for number, table in enumerate(found.tables, start=1):
        _table(page, number, table)
    for number, figure in enumerate(found.figures, start=1):
        if figure.name in figures:
            page.add_page()
            page.image(io.BytesIO(figures[figure.name]), w=WIDE, h=150, keep_aspect_ratio=True)
            page.set_font(FONT, size=8)
            page.multi_cell(0, 5, f"Figure {number}. {figure.caption}", new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def _table(page: PdfPage, number: int, table: DocumentTable) -> None:
    if page.will_page_break(40):
        page.add_page()
    page.ln(4)
    page.set_font(FONT, "B", 9)
    page.multi_cell(0, 6, f"Table {number}. {table.caption}", new_x="LMARGIN", new_y="NEXT")
    page.set_font(FONT, size=7)
    page.set_line_width(0.1)
    with page.table(
        col_widths=table.widths, borders_layout="HORIZONTAL_LINES", line_height=4, text_align="LEFT", padding=0.6,
        headings_style=FontFace(emphasis="BOLD"),
    ) as grid:  # fmt: skip
        for texts in (table.header, *table.rows):
            row = grid.row()
            for text in texts:
                row.cell(text)
    if table.note:
        page.multi_cell(0, 4, table.note, new_x="LMARGIN", new_y="NEXT")
