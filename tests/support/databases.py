"""Which databases a test meets in the quick suite: of each promise about both, one test there meets both."""

from __future__ import annotations

import pytest

POSTGRES_IS_SLOW = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)
SQLITE_IS_SLOW = pytest.mark.parametrize(
    "database_url", ["postgres", pytest.param("sqlite", marks=pytest.mark.slow)], indirect=True
)
