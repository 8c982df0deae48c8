"""A manuscript as LaTeX with booktabs: compiles with pdfLaTeX, tables can be taken over one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from analysis.report.formats.document import DocumentTable, Manuscript

PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[a4paper,landscape,margin=2cm]{geometry}
\usepackage{booktabs,longtable,array,graphicx,textcomp}
\begin{document}
"""
_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}",
    "−": r"\ensuremath{-}", "–": "--", "∞": r"\ensuremath{\infty}", "·": r"\textperiodcentered{}",
    "²": r"\textsuperscript{2}", "≥": r"\ensuremath{\geq}", "≤": r"\ensuremath{\leq}",
}  # fmt: skip


def as_latex(found: Manuscript, figures: Mapping[str, bytes]) -> bytes:
    """Return the manuscript as TeX source; figures are named where `analyze` writes them, under figures/.

    Args:
        found: tables and figures.
        figures: names of those that were written.
    """
    parts = [PREAMBLE, rf"\section*{{{escaped(found.title)}}}"]
    parts += [rf"\textbf{{{escaped(stamp)}}}\par" for stamp in found.stamps]
    parts += [latex_table(table, number) for number, table in enumerate(found.tables, start=1)]
    for figure in found.figures:
        if figure.name in figures:
            parts.append(
                "\\begin{figure}[htbp]\\centering\n"
                rf"\includegraphics[width=0.8\linewidth]{{figures/{figure.name}.pdf}}"
                f"\n\\caption{{{escaped(figure.caption)}}}\n\\end{{figure}}"
            )
    parts += [r"\clearpage", escaped(found.footer), r"\end{document}", ""]
    return "\n\n".join(parts).encode()


def latex_table(table: DocumentTable, number: int) -> str:
    """Return one longtable with booktabs rules."""
    room = 0.98 - 0.012 * len(table.header)
    columns = "".join(f">{{\\raggedright\\arraybackslash}}p{{{room * share:.3f}\\linewidth}}" for share in table.widths)
    head = " & ".join(escaped(text) for text in table.header)
    body = "\n".join(" & ".join(_indented(text) for text in row) + r" \\" for row in table.rows)
    note = f"\n\\noindent\\footnotesize {escaped(table.note)}\\normalsize" if table.note else ""
    return (
        f"\\begin{{longtable}}{{{columns}}}\n\\caption{{{escaped(table.caption)}}}\\label{{tab:{number}}}\\\\\n"
        f"\\toprule\n{head} \\\\\n\\midrule\n\\endhead\n{body}\n\\bottomrule\n\\end{{longtable}}{note}"
    )


def _indented(text: str) -> str:
    inner = text.lstrip(" ")
    return (r"\quad " if inner != text else "") + escaped(inner)


def escaped(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return re.sub("|".join(map(re.escape, _ESCAPES)), lambda found: _ESCAPES[found.group()], text)
