"""Read this dataset into pandas, with the types and labels that its sidecars name.

    tables = read()                     a dictionary of data frames; read(".../my-dataset") from elsewhere
    people = tables["participants"]
    labels("participants")              column -> {value: label}

Needs pandas; for the Parquet format also pyarrow. Texts come without the mark that protects spreadsheets, moments as
times in UTC, JSON as objects, yes and no as True and False, and only empty cells as missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).resolve().parent


def read(folder: Path | str = HERE, *tables: str) -> dict[str, pd.DataFrame]:
    """Read all tables of a dataset, or those that are named."""
    found = {}
    for sidecar in sorted((Path(folder) / "data").glob("*_data.json")):
        description = json.loads(sidecar.read_text(encoding="utf-8"))
        if not tables or description["name"] in tables:
            found[description["name"]] = _table(sidecar, description)
    return found


def labels(table: str, folder: Path | str = HERE) -> dict[str, dict[str, str]]:
    """Labels of the values of a table's columns."""
    sidecars = (Path(folder) / "data").glob("*_data.json")
    descriptions = (json.loads(sidecar.read_text(encoding="utf-8")) for sidecar in sidecars)
    columns = next(each for each in descriptions if each["name"] == table)["variableMeasured"]
    return {
        column["name"]: {term["termCode"]: term["name"] for term in column["valueReference"]}
        for column in columns
        if "valueReference" in column
    }


def _table(sidecar: Path, description: dict[str, Any]) -> pd.DataFrame:
    types = {column["name"]: column["additionalType"].rpartition("#")[2] for column in description["variableMeasured"]}
    file = sidecar.with_name(description["distribution"])
    if file.suffix == ".parquet":
        cells = pd.read_parquet(file)
    else:
        cells = pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    return pd.DataFrame({name: _column(cells[name], types[name], file.suffix == ".csv") for name in cells})


def _column(cells: pd.Series, kind: str, guarded: bool) -> pd.Series:
    if kind == "integer":
        return pd.to_numeric(cells).astype("Int64")
    if kind == "double":
        return pd.to_numeric(cells).astype("float64")
    if kind == "boolean":
        return cells.map({"0": False, "1": True, False: False, True: True}).astype("boolean")
    if kind == "dateTime":
        return pd.to_datetime(cells, utc=True, format="ISO8601" if guarded else None)
    if kind == "string":
        return cells.map(lambda text: text[1:] if guarded and text.startswith("'") else text, na_action="ignore")
    return cells.map(json.loads, na_action="ignore").astype(object)


if __name__ == "__main__":
    for name, table in read().items():
        print(f"{name}: {len(table)} rows, {len(table.columns)} columns")
