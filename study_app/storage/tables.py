"""The tables. Domain types are mapped onto them from outside, in registry.py and event_log.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from study_app.storage.columns import AnyText, Json, JsonAsGiven, Moment, SpacedJson


def _text(**options: Any) -> Any:
    return Field(sa_column=Column(AnyText, **options))


def _moment(**options: Any) -> Any:
    return Field(sa_column=Column(Moment, **options))


def _serial() -> Any:
    return Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )


class MetaRow(SQLModel, table=True):
    """Facts about the study itself."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True)
    value: str = _text(nullable=False)


class LockRow(SQLModel, table=True):
    """Names that transactions wait for."""

    __tablename__ = "locks"
    name: str = Field(primary_key=True)


class VersionRow(SQLModel, table=True):
    """Locked protocol versions."""

    __tablename__ = "versions"
    number: int | None = _serial()
    study_hash: str = Field(index=True)
    text: str = _text(nullable=False)
    materials: Any = Field(sa_column=Column(Json, nullable=False))
    from_index: int
    locked_at: datetime = _moment(nullable=False)
    reason: str = _text(nullable=False)


class ParticipantRow(SQLModel, table=True):
    """Participants; NULLs in the unique columns never collide."""

    __tablename__ = "participants"
    number: int | None = _serial()
    id: str = Field(unique=True)
    kind: str
    study_hash: str
    status: str
    stage: str
    step: int
    enrolled_at: datetime = _moment(nullable=False)
    last_seen_at: datetime = _moment(nullable=False)
    arm: str | None = None
    stratum: str | None = None
    allocation_index: int | None = None
    allocated_at: datetime | None = _moment()
    finished_at: datetime | None = _moment()
    opens_at: datetime | None = _moment()
    page: str | None = None
    label: str | None = Field(default=None, sa_column=Column(AnyText))
    link: str | None = Field(default=None, unique=True)
    prolific_pid: str | None = Field(default=None, sa_column=Column(AnyText, unique=True))
    prolific_study: str | None = _text()
    prolific_session: str | None = _text()
    exclusion_reason: str | None = _text()
    data_withdrawn: bool = False
    place: str | None = None
    place_until: datetime | None = _moment()
    language: str = Field(default="", sa_column_kwargs={"server_default": ""})
    paused_at: datetime | None = _moment()
    responded: bool | None = None
    second_treatment: str | None = None
    second_index: int | None = None


class TokenRow(SQLModel, table=True):
    """Hashes of the tokens that cookies hold."""

    __tablename__ = "tokens"
    token_hash: str = Field(primary_key=True)
    participant_id: str = Field(index=True)
    expires_at: datetime = _moment(nullable=False)


class VisitRow(SQLModel, table=True):
    """One row a participant and stage."""

    __tablename__ = "visits"
    __table_args__ = (UniqueConstraint("participant_id", "stage"), Index("ix_visits_open", "ended_at", "deadline_at"))
    number: int | None = _serial()
    participant_id: str
    stage: str
    started_at: datetime = _moment(nullable=False)
    deadline_at: datetime | None = _moment()
    ended_at: datetime | None = _moment()
    ended_by: str | None = None


class EventRow(SQLModel, table=True):
    """The append-only log."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("participant_id", "page", "seq"),)
    event_id: int | None = _serial()
    participant_id: str
    page: str
    seq: int
    kind: str
    stage: str
    server_time: datetime = _moment(nullable=False)
    client_time_ms: float | None = None
    mono_ms: float | None = None
    payload: Any = Field(sa_column=Column(Json, nullable=False))
    arrived_late: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    chain: int | None = None
    position: int | None = Field(default=None, sa_column=Column(BigInteger))
    opening: bytes | None = None
    digest: bytes | None = None


class ChainRow(SQLModel, table=True):
    """Heads of the chains of records; see domain/dataset/chain."""

    __tablename__ = "chains"
    id: int | None = _serial()
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    head: bytes
    mac: bytes | None = None
    signer: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Whose key signs it; see storage/sealed/head_keys."""


class ChainEntryRow(SQLModel, table=True):
    """States of records other than events, in the order of the chain that they are in."""

    __tablename__ = "chain_entries"
    __table_args__ = (Index("ix_chain_entries_record", "table", "key"),)
    number: int | None = _serial()
    chain: int
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    table: str
    key: str = _text(nullable=False)
    participant_id: str = Field(index=True)
    final: bool
    opening: bytes
    digest: bytes


class PageRow(SQLModel, table=True):
    """How far the log of each page is without a gap."""

    __tablename__ = "pages"
    participant_id: str = Field(primary_key=True)
    page: str = Field(primary_key=True)
    ack: int = 0


class DocumentRow(SQLModel, table=True):
    """The text of each task as the edits make it."""

    __tablename__ = "documents"
    participant_id: str = Field(primary_key=True)
    task: str = Field(primary_key=True)
    page: str
    text: str = _text(nullable=False)
    source: str


class RunRow(SQLModel, table=True):
    """Runs and submissions."""

    __tablename__ = "runs"
    number: int | None = _serial()
    id: str = Field(unique=True)
    participant_id: str = Field(index=True)
    task: str
    stage: str
    kind: str
    code: str = _text(nullable=False)
    started_at: datetime = _moment(nullable=False)
    page: str | None = None
    seq: int | None = None
    stdout: str = _text(nullable=False)
    stderr: str = _text(nullable=False)
    error_type: str | None = _text()
    error_message: str | None = _text()
    error_line: int | None = None
    ended_by: str | None = None
    wall_seconds: float | None = None
    isolation: str | None = None
    scheduler_seed: int | None = Field(default=None, sa_column=Column(BigInteger))
    checks: Any = Field(sa_column=Column(JsonAsGiven, nullable=False))
    visible_only_pass: bool | None = None
    output_order: str = _text(nullable=False)
    grading: str | None = None
    grading_reason: str | None = _text()
    repeats: int | None = None
    review: str = _text(nullable=False)


class TurnRow(SQLModel, table=True):
    """Messages to the assistant and its replies."""

    __tablename__ = "turns"
    number: int | None = _serial()
    id: str = Field(unique=True)
    participant_id: str = Field(index=True)
    task: str
    assistant: str
    treatment: str
    model: str
    prompt_version: str
    message: str = _text(nullable=False)
    reply: str = _text(nullable=False)
    code: str = _text(nullable=False)
    asked_at: datetime = _moment(nullable=False)
    first_token_seconds: float | None = None
    total_seconds: float | None = None
    composing_seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    stop_reason: str | None = None
    stopped_by_participant: bool = False
    error: str | None = _text()
    complete: bool = False
    parameters: Any = Field(sa_column=Column(SpacedJson, nullable=False))


class AnswerRow(SQLModel, table=True):
    """Answers to survey questions (bank empty) and quiz items."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("participant_id", "stage", "item"),)
    number: int | None = _serial()
    participant_id: str
    stage: str
    item: str
    response: Any = Field(sa_column=Column(JsonAsGiven, nullable=False))
    bank: str
    form: str
    points: float | None = None
    max_points: float | None = None
    scored_by: str | None = None
    key_version: str | None = None
    confidence: float | None = None
    scoring_reason: str | None = _text()
    repeats: int | None = None
    seconds: float | None = None
    changes: int = 0
    saved_at: datetime | None = _moment()


class AllocationRow(SQLModel, table=True):
    """The ledgers: append-only, chained."""

    __tablename__ = "allocations"
    __table_args__ = (UniqueConstraint("ledger", "allocation_index"),)
    number: int | None = _serial()
    participant_id: str = Field(unique=True)
    ledger: str
    allocation_index: int
    row: Any = Field(sa_column=Column(Json, nullable=False))


class LaterAllocationRow(SQLModel, table=True):
    """The ledgers of decisions after the first: append-only, each chained by itself."""

    __tablename__ = "later_allocations"
    __table_args__ = (
        UniqueConstraint("decision", "ledger", "allocation_index"),
        UniqueConstraint("decision", "participant_id"),
    )
    number: int | None = _serial()
    decision: int
    participant_id: str
    ledger: str
    allocation_index: int
    row: Any = Field(sa_column=Column(Json, nullable=False))


class LinkRow(SQLModel, table=True):
    """Single-use links; only their hashes are kept."""

    __tablename__ = "links"
    number: int | None = _serial()
    token_hash: str = Field(unique=True)
    label: str | None = _text()
    participant_id: str | None = None
    created_at: datetime = _moment(nullable=False)


class AuditRow(SQLModel, table=True):
    """Acts of researchers and commands: append-only, chained."""

    __tablename__ = "audit"
    number: int | None = _serial()
    at: datetime = _moment(nullable=False)
    who: str = _text(nullable=False)
    what: str = _text(nullable=False)
    why: str = _text(nullable=False)
    detail: Any = Field(sa_column=Column(Json, nullable=False))
    previous_hash: str
    row_hash: str


class ReplicaRow(SQLModel, table=True):
    """Servers that serve the study."""

    __tablename__ = "replicas"
    name: str = Field(primary_key=True)
    machine: str
    process: int = Field(sa_column=Column(BigInteger, nullable=False))
    began_at: datetime = _moment(nullable=False)
    beat_at: datetime = _moment(nullable=False)
    taken: Any = Field(default=None, sa_column=Column(Json))


class InProgressRow(SQLModel, table=True):
    """What a server does for a participant just now."""

    __tablename__ = "in_progress"
    participant_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    work: str
    replica: str = Field(index=True)
    stop: bool


class RatingRow(SQLModel, table=True):
    """Human judgements."""

    __tablename__ = "ratings"
    number: int | None = _serial()
    rating_id: str = Field(unique=True)
    object: str
    rater: str
    value: str = _text(nullable=False)
    rubric: str = _text(nullable=False)
    rated_at: datetime = _moment(nullable=False)


class TextReviewRow(SQLModel, table=True):
    """What a person decided on texts for a dataset that everybody may have; the newest decision counts."""

    __tablename__ = "text_reviews"
    number: int | None = _serial()
    participant_id: str = Field(index=True)
    table: str
    column: str
    record: str = _text(nullable=False)
    digest: str
    released: bool
    reviewer: str = _text(nullable=False)
    reviewed_at: datetime = _moment(nullable=False)
