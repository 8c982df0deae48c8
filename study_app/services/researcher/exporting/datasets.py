"""The one way to a dataset: grade, score, code, write, record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from study_app.dataset.disclosure.coarsening import DEFAULT_K
from study_app.dataset.writing.files import Format
from study_app.domain.errors import UserError
from study_app.services.context import StudyContext
from study_app.services.grading.scoring import QuizScoring
from study_app.services.grading.submissions import Grading
from study_app.services.researcher.exporting.export import ExportSummary, export
from study_app.services.researcher.exporting.progsnap2 import export_progsnap2
from study_app.services.researcher.lifecycle import Lifecycle

EXPORTED = "export"
"""The verb in the audit log, for command line and console alike."""
CodeQueries = Callable[[StudyContext], list[str]]
"""Codes the queries that the plan wants coded, and returns what to warn of."""


@dataclass(frozen=True)
class DatasetRequest:
    """What is to be in the dataset, and in which form."""

    fmt: Format = "csv"
    identified: bool = False
    include_simulated: bool = False
    include_preview: bool = False
    progsnap2: Path | None = None
    """Folder of a ProgSnap2 set that is written too."""
    public: bool = False
    """For everybody; see `export`."""
    k: int = DEFAULT_K


class Datasets:
    """Writes datasets for the command line, the console and whatever else needs one."""

    def __init__(
        self, context: StudyContext, grading: Grading, scoring: QuizScoring, code_queries: CodeQueries | None = None
    ) -> None:
        self.context = context
        self._grading = grading
        self._scoring = scoring
        self._code_queries = code_queries

    def write(self, out: Path, request: DatasetRequest, *, who: str, via: str) -> ExportSummary:
        """Bring the derived data up to date, write the dataset, and record what was written.

        Args:
            out: folder of the dataset.
            request: what is to be in it.
            who: who asked for it, for the audit log.
            via: the surface it was asked from: `command line`, `console`.

        Raises:
            UserError: `out` cannot be taken.
            InfrastructureError: the disk is full, or the database cannot be reached.
        """
        if request.public and request.progsnap2 is not None:
            raise UserError(
                "--progsnap2: holds programs and clock times, which a dataset for everybody leaves out; export them "
                "into another folder, without --public"
            )
        # Ahead of the export: its reading transaction sees nothing of what is written once it has begun.
        left = self._grading.finish_pending()
        self._scoring.score_pending()
        warnings = self._code_queries(self.context) if self._code_queries is not None else []
        if left:
            warnings = [*warnings, f"{left} submissions are being graded by another server; export again for them"]
        kinds = {"include_simulated": request.include_simulated, "include_preview": request.include_preview}
        summary = export(
            self.context, out, fmt=request.fmt, k=request.k, identified=request.identified, public=request.public,
            include_simulated=request.include_simulated, include_preview=request.include_preview,
        )  # fmt: skip
        if request.progsnap2 is not None:
            export_progsnap2(self.context, request.progsnap2, **kinds)
        # By this the audit log of a later export proves what this one was.
        digest = hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest()
        asked = {"identified": request.identified, "public": request.public}
        facts = {"out": out.name, "format": request.fmt, **asked, **kinds, "via": via}
        Lifecycle(self.context).audit(who, EXPORTED, "", facts | {"manifest_sha256": digest})
        return replace(summary, warnings=(*warnings, *summary.warnings))
