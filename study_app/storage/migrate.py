"""Bringing a database's tables up to date with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from study_app.domain.errors import InfrastructureError, Problem, ProblemsFound
from study_app.storage.backfill import join_what_is_stored
from study_app.storage.engine import DatabaseEngine

SCRIPTS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """Return where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def bring_up_to_date(database: DatabaseEngine) -> None:
    """Run the migrations that the database has not seen; in one transaction, under a lock.

    Raises:
        InfrastructureError: the file is another program's, or from a newer version of study-app.
        ProblemsFound: a database of Postgres that does not hold every character.
    """
    config = alembic_config()
    head = ScriptDirectory.from_config(config).get_current_head()
    # Without the write lock first: every command opens the database, and most find nothing to do.
    with database.begin(write=False) as connection:
        if not database.is_sqlite:
            _check_encoding(connection)
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
    with database.begin(write=True) as connection:
        if not database.is_sqlite:
            # Of servers that start together one migrates; the others wait here and then find the newest revision.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20260120245)")
        if MigrationContext.configure(connection).get_current_revision() is None and inspect(
            connection
        ).get_table_names() not in ([], ["alembic_version"]):
            raise InfrastructureError(
                f"{database.describe()}: this database belongs to another program; use a separate one for the study"
            )
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
            database.joined = join_what_is_stored(connection)
        except CommandError as error:
            raise InfrastructureError(
                f"{database.describe()}: made by a newer version of study-app ({error}); update study-app"
            ) from error


def _check_encoding(connection: Connection) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        what = f"its encoding is {encoding}, which lacks characters that participants type"
        remedy = "make it with CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
        raise ProblemsFound([Problem("--database", "", what, remedy)])
