"""Numbers and moments as a language writes them, from the table `figures` of its texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

FIGURES = "figures"
"""The table: `decimal`, `thousands`, `months` (twelve names, separated by spaces) and `moment`, a pattern."""


class Figures:
    """How a language writes figures."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table

    def number(self, value: float, digits: int | None = None) -> str:
        """Return a number with separators; `digits` after the decimal mark, as many as it has where None."""
        written = f"{value:,}" if digits is None else f"{value:,.{digits}f}"
        written = written.removesuffix(".0") if digits is None else written
        return written.translate({ord(","): self._table["thousands"], ord("."): self._table["decimal"]})

    def typed(self, value: float) -> str:
        """Return a number as it can be typed into a field: with the language's decimal mark, not in thousands."""
        return f"{value}".removesuffix(".0").replace(".", self._table["decimal"])

    def said(self, value: str) -> str:
        """Return a number or a moment of an English sentence as this language writes it; anything else as it is."""
        if re.fullmatch(r"\d{1,3}(,\d{3})*|\d+", value):
            return self.number(int(value.replace(",", "")))
        if re.fullmatch(r"\d{1,40}\.\d{1,40}", value):
            return self.number(float(value), len(value.partition(".")[2]))
        if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", value):
            return self.moment(datetime.strptime(value, "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC))
        return value

    def moment(self, at: datetime) -> str:
        """Return a moment in UTC: day, month by its name, year, hour and minute."""
        return self._written(self._table["moment"], at)

    def local_moment(self, at: datetime, zone: ZoneInfo | None) -> str:
        """Return a moment in UTC and, where a zone is known whose clocks differ, as these show it, with its name."""
        if zone is None or not (local := at.astimezone(zone)).utcoffset():
            return self.moment(at)
        pattern = self._table["moment"].replace("UTC", "").strip()
        return f"{self.moment(at)} ({self._written(pattern, local)}, {zone.key})"

    def _written(self, pattern: str, at: datetime) -> str:
        month = self._table["months"].split()[at.month - 1]
        values = {"day": str(at.day), "month": month, "year": str(at.year), "time": f"{at:%H:%M}"}
        for name, value in values.items():
            pattern = pattern.replace("{" + name + "}", value)
        return pattern
