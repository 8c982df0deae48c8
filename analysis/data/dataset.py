"""A dataset as the analysis holds it, and the checks that every source of one shares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.data.cell_types import Types, typed
from analysis.data.cells import read_cells
from study_app.dataset.schema import Column
from study_app.dataset.schema.cells import unguard
from study_app.domain.editing.edits import apply_event
from study_app.domain.errors import Problem, ProblemsFound, UserError
