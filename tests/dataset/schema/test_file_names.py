"""Files of tables are called by Psych-DS's rule, and are found again under names of earlier datasets, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.psychds_rules import NAME

from study_app.dataset.schema import TABLES
from study_app.dataset.schema.file_names import table_of, table_path


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_file_name_that_psych_ds_allows_and_that_names_the_table(table):
    name = Path(table_path("trial", table, "csv")).name
    assert NAME.fullmatch(name)
    assert table_of(name) == table
    assert table_of(f"study-trial_description-{table}_data.parquet") == table


def test_a_file_of_another_name_is_of_no_table():
    assert table_of("participants.csv") is None
    assert table_of("study-a_b_description-runs_data.csv") is None
