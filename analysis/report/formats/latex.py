"""A manuscript as LaTeX with booktabs: compiles with pdfLaTeX, tables can be taken over one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from unicodedata import lookup

from analysis.report.formats.document import DocumentTable, Manuscript

PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[a4paper,landscape,margin=2cm]{geometry}
\usepackage{booktabs,longtable,array,graphicx,textcomp}
\begin{document}
"""
_GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "pi",
    "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
)  # fmt: skip
_CAPITALS = ("GAMMA", "DELTA", "THETA", "XI", "PI", "SIGMA", "PHI", "PSI", "OMEGA")
_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}",
    "−": r"\ensuremath{-}", "–": "--", "∞": r"\ensuremath{\infty}", "·": r"\textperiodcentered{}",
    "²": r"\textsuperscript{2}", "≥": r"\ensuremath{\geq}", "≤": r"\ensuremath{\leq}",
    # A bracket or star behind a row's end would be its argument, and pairs of these are other signs in T1.
    "[": "{[}", "]": "{]}", "*": "{*}", "`": r"\textasciigrave{}", '"': r"\textquotedbl{}",
    ",,": ",{},", "--": "-{}-", "!`": "!{}`", "?`": "?{}`",
    "\u03bb": r"\ensuremath{\lambda}",
    **{lookup(f"GREEK SMALL LETTER {name.upper()}"): rf"\ensuremath{{\{name}}}" for name in _GREEK},
    **{lookup(f"GREEK CAPITAL LETTER {name}"): rf"\ensuremath{{\{name.capitalize()}}}" for name in _CAPITALS},
    "→": r"\ensuremath{\rightarrow}", "≠": r"\ensuremath{\neq}", "≈": r"\ensuremath{\approx}",
}  # fmt: skip
_LATIN = 0x180
"""Code from which on the T1 fonts of pdfLaTeX lack letters."""
_SIGNS = frozenset("…“”\u2018\u2019\u201a„—†‡•€™‰")
"""Signs from there on that they have."""
_LONGEST_FIRST = "(" + "|".join(map(re.escape, sorted(_ESCAPES, key=len, reverse=True))) + ")"


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
    """Text that pdfLaTeX prints as it stands; a character that its fonts lack as a number: it would stop there."""
    return "".join(_printed(part) for part in re.split(_LONGEST_FIRST, text) if part)


def _printed(part: str) -> str:
    if part in _ESCAPES:
        return _ESCAPES[part]
    known = (
        letter if ord(letter) < _LATIN or letter in _SIGNS else f"{{[}}U+{ord(letter):04X}{{]}}" for letter in part
    )
    return "".join(known)
