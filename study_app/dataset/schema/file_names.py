"""How the files of a dataset's tables are called.

In Psych-DS an underscore separates the parts of a file's name, so that the words of a table's name are joined by
capital letters there: the table `agent_actions` stands in `study-ID_description-agentActions_data.csv`.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"study-(?P<id>[^_]+)_description-(?P<table>[A-Za-z0-9_]+?)_data\.(?P<format>csv|parquet)$")
_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")


def table_path(study_id: str, table: str, fmt: str) -> str:
    """Return the path of a table's file within its dataset."""
    return f"data/study-{study_id}_description-{in_file_name(table)}_data.{fmt}"


def kept_banks(study_hash: str) -> str:
    """Return the folder, within the materials, of the item banks of a version that was amended since."""
    return f"versions/quizzes_{study_hash[:12]}"


def in_file_name(table: str) -> str:
    """Return a table's name as it stands in the name of its file."""
    first, *more = table.split("_")
    return first + "".join(word.capitalize() for word in more)


def table_of(file_name: str) -> str | None:
    """Return the table that a file's name is that of, None of none; earlier datasets kept the underscore."""
    match = _NAME.match(file_name)
    return None if match is None else _CAPITAL.sub(lambda found: f"_{found.group()}", match["table"]).lower()
