"""Alembic's entry; the connection comes from study_app.storage.migrate."""

from alembic import context
from sqlmodel import SQLModel

from study_app.storage import tables  # noqa: F401  (fills the metadata)

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
