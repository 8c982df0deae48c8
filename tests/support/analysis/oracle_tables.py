"""Reference tables and values, read where the tests need them."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

import analysis

FOLDER = Path(__file__).parents[2] / "oracles"


def expected(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name / "expected.json").read_text())["expected"]


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name / "data.csv")


def run(name: str, data: pd.DataFrame, /, **call: Any) -> Any:
    return analysis.METHODS[name](data, **call)


def noted(note: str, key: str) -> float:
    """The figure that stands after a key in a note."""
    found = re.search(re.escape(key) + r"\s*=?\s*(-?[\d.]+(?:e[-+]?\d+)?)", note)
    assert found, f"{key!r} is not in {note!r}"
    return float(found[1].rstrip("."))
