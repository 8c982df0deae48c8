"""The report's tables and figures as files for a manuscript: Word, LaTeX, PDF."""

from analysis.report.formats.document import manuscript
from analysis.report.formats.latex import as_latex
from analysis.report.formats.pdf import as_pdf
from analysis.report.formats.word import as_docx

__all__ = ["WRITERS", "as_docx", "as_latex", "as_pdf", "manuscript"]

WRITERS = {"docx": as_docx, "latex": as_latex, "pdf": as_pdf}
"""Format -> the function that makes a file's bytes of a manuscript and its figures as PNG."""
