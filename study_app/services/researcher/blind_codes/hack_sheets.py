"""Programs to code as a sheet, and its classes back: for people who code outside the console."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from study_app.dataset.schema.cells import guard, writable
from study_app.dataset.schema.csv_rows import repeated, rows_in, uneven
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.interaction.codes import check_coder
from study_app.domain.records import AuditEntry, Kind
from study_app.domain.tasks.hacks.coding import CLASSES
from study_app.domain.text_files import decode_text
from study_app.services.context import StudyContext
from study_app.services.researcher.blind_codes.hacks import HackCodes

RUN, CLASS = "run_id", "class"
COLUMNS = (RUN, CLASS, "task", "passes_examples", "reported_impossible", "brief", "starter", "code")


class HackSheets:
    """Writes what a person has still to code, and takes a sheet that was filled in."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self.codes = HackCodes(context)

    def written(self, who: str, coder: str, kind: Kind) -> tuple[str, int]:
        """Return the sheet of a coder as CSV with the column `class` empty, and how many programs are in it.

        They are those that the console would hand to this coder, in the same order, with nothing of participant, arm,
        rules or what others gave.

        Raises:
            NotAllowed: the name stands for a decision or a program.
        """
        check_coder(coder)
        waiting = self.codes.waiting(coder, kind)
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\r\n")
        table.writerow(COLUMNS)
        for each in waiting:
            texts = (each.task, int(each.passes_seen), int(each.reported), each.brief, each.starter, each.code)
            # A program may begin with what a spreadsheet would run as a formula.
            cells = (guard(writable(cell)) if isinstance(cell, str) else cell for cell in texts)
            table.writerow([each.run_id, "", *cells])
        self._audit(who, "export programs", {"programs": len(waiting), "coder": coder, "kind": kind})
        return text.getvalue(), len(waiting)

    def read(self, who: str, coder: str, kind: Kind, file: Path) -> dict[str, Any]:
        """Take the classes of a sheet, all of them or none; rows without one are left for later.

        Raises:
            NotAllowed: the name stands for a decision or a program, or a program was settled or erased meanwhile.
            ProblemsFound: the file cannot be read, or a row names no program or class; all rows at once.
        """
        check_coder(coder)
        if not file.is_file():
            raise ProblemsFound([Problem(str(file), "", "there is no such file", "give the sheet that was filled in")])
        given: dict[str, tuple[int, str]] = {}
        problems: list[Problem] = []
        left = 0
        for number, run, value in _filled(file):
            # Before every other check: what is left for later may stand there twice, or be gone by now.
            if not value:
                left += 1
            elif run in given:
                what = f"'{run}' is coded in row {given[run][0]}, too"
                problems.append(Problem(str(file), f"row {number}", what, "keep one of the rows"))
            elif value not in CLASSES:
                what = f"'{value[:40]}' is not a class"
                problems.append(Problem(str(file), f"row {number}", what, f"use one of: {', '.join(CLASSES)}"))
            else:
                given[run] = (number, value)
        codes = {run: value for run, (_, value) in given.items()}
        # Of the whole sheet before anything is stored, so that a person corrects all rows at once.
        for run, what in self.codes.not_codable(coder, codes, kind).items():
            remedy = "leave its class empty, or write a new sheet: study code hacks export"
            problems.append(Problem(str(file), f"row {given[run][0]}", f"'{run[:60]}' {what}", remedy))
        if problems:
            raise ProblemsFound(sorted(problems))
        stored = self.codes.code_all(coder, codes, kind)
        self._audit(who, "import codes of programs", {"codes": stored, "coder": coder, "kind": kind})
        return {"file": str(file), "coder": coder, "codes": stored, "unchanged": len(codes) - stored, "left": left}

    def _audit(self, who: str, what: str, detail: dict[str, object]) -> None:
        with self.context.registry.begin() as unit:
            unit.add_audit(AuditEntry(self.context.now(), who, what, "", detail))


def _filled(file: Path) -> Iterator[tuple[int, str, str]]:
    """Yield row number, program and class of each row; columns in any order, others are passed over."""
    text = decode_text(file.read_bytes(), str(file))
    # A spreadsheet saves with semicolons where the comma is the decimal mark.
    mark = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    rows = rows_in(text.splitlines(keepends=True), mark)
    try:
        header = next((cells for _, cells in rows), [])
        _check_header(header, file)
        run, value = header.index(RUN), header.index(CLASS)
        for number, cells in rows:
            if not any(cells):
                continue
            if (wrong := uneven(header, cells)) is not None:
                raise ProblemsFound([Problem(str(file), f"row {number}", wrong, "write a new sheet and fill it in")])
            yield number, cells[run].strip(), cells[value].strip()
    except ValueError as error:
        raise ProblemsFound([Problem(str(file), "", f"is not a table ({error})", "save it as CSV")]) from None


def _check_header(header: Sequence[str], file: Path) -> None:
    lacking = [name for name in (RUN, CLASS) if name not in header]
    if lacking or repeated(header):
        what = f"the column '{(lacking or repeated(header))[0]}' is {'missing' if lacking else 'there twice'}"
        raise ProblemsFound([Problem(str(file), "row 1", what, "use the sheet of: study code hacks export")])
