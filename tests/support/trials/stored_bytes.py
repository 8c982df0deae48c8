"""Everything that a trial's database holds, as bytes, so that a text can be looked for wherever it may stand."""

from __future__ import annotations

from sqlalchemy import create_engine, inspect, text


def stored(trial) -> bytes:
    """SQLite's files, or each row of each table of Postgres."""
    if trial.settings.database.startswith("sqlite"):
        return b"".join(path.read_bytes() for path in trial.folder.glob("study.db*"))
    engine = create_engine(trial.settings.database)
    with engine.connect() as connection:
        rows = [
            str(tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row))
            for name in inspect(connection).get_table_names()
            for row in connection.execute(text(f'select * from "{name}"'))
        ]
    engine.dispose()
    return "\n".join(rows).encode()
