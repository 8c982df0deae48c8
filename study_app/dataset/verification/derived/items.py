"""What an answer's row says of its item, against the bank that its participant met."""

from __future__ import annotations

from collections.abc import Sequence

from study_app.dataset.measures.answers import item_columns
from study_app.dataset.measures.record import ParticipantRecord
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow
from study_app.dataset.reading.records import Materials
from study_app.dataset.verification.derived.comparing import same


def check_items(
    opened: UntrustedDataset, record: ParticipantRecord, rows: Sequence[UntrustedRow], content: Materials
) -> None:
    """Type, concept, family and task of each answer's item; a bank that the dataset lacks is not compared."""
    banks = {stage.id: content.bank(stage.bank) for stage in record.quiz_stages}
    items = {name: {item.id: item for item in bank.items} for name, bank in banks.items() if bank is not None}
    columns = [column for column in opened.tables["answers"].columns if column.name in item_columns(None)]
    for row in rows:
        stage = str(row["stage"])
        if stage in banks and stage not in items:
            continue
        due = item_columns(items.get(stage, {}).get(str(row["item"])))
        for column in columns:
            # A column that an older dataset lacks is named where its header is checked.
            if column.name in row.values and not same(column, row[column.name], due[column.name]):
                what = f"{column.name} of {row['item']} is {row[column.name]}, the bank says {due[column.name]}"
                opened.report.add("derived_differs", opened.relative("answers"), row.number,
                                  f"{row['participant_id']}: {what}")  # fmt: skip
