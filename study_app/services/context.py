"""What every service is given: the study and the providers behind the ports."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Protocol, TypeVar, get_args

from study_app.dataset.schema.versions import read_version, version_values
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.errors import InfrastructureError
from study_app.domain.ledger import LedgerRow
from study_app.domain.localisation.study_texts import in_language
from study_app.domain.records import Participant, ProtocolVersion, Replica
from study_app.domain.study.study import CompletionCodes, Study, protocol_hash
from study_app.domain.trial_state import State
from study_app.ports import Assistant, Clock, Database, Interviewer, Sandbox, UnitOfWork
from study_app.services.replicas import Replicas
from study_app.services.version_content import Edition, altered_files, kept_content, published_banks

Read = TypeVar("Read")


class Seal(Protocol):
    """Closes and opens the real ledger's seed; chosen by bootstrap."""

    def new_seed(self) -> bytes:
        """Fresh secret bytes."""
        ...

    def new_salt(self) -> str:
        """Fresh secret hex."""
        ...

    def seal(self, seed: bytes) -> str:
        """Encrypt under the sealing key, making the key on first use."""
        ...

    def open(self, sealed: str) -> bytes:
        """Decrypt.

        Raises:
            SealingKeyMissing: the key is not there or another one.
        """
        ...

    def new_signing_key(self) -> tuple[str, str]:
        """Return a fresh private key for exports, encrypted under the sealing key, and its public half in hex."""
        ...

    def sign(self, sealed: str, message: bytes) -> str:
        """Sign with that private key; hex.

        Raises:
            SealingKeyMissing: the key is not there or another one.
        """
        ...

    def interim_key(self, *, make: bool) -> bytes | None:
        """Return the key that signs records while the sealing key is missing; None where there is none.

        Args:
            make: whether one is made where there is none.
        """
        ...

    def recovery_copy(self) -> str:
        """Return the text that `launch` prints once."""
        ...


@dataclass
class StudyContext:
    """Everything the services stand on. One for a process."""

    study: Study
    """As the file says it now."""
    registry: Database
    clock: Clock
    content: ContentLibrary
    sandbox: Sandbox
    assistants: Mapping[str, Assistant]
    """By the id under [assistants]."""
    seal: Seal
    fresh_id: Callable[[], str]
    """Random, unguessable, URL-safe identifiers."""
    grading_clock: Literal["real", "virtual"] = "real"
    package_versions: Callable[[], Mapping[str, str]] = dict
    """Distribution -> version of what participants' programs can import."""
    anchor: Callable[[LedgerRow], None] = lambda _row: None
    """Keeps the place of a real allocation outside the database, after its commit."""
    replicas: Replicas = field(init=False)
    """This server among those of the study."""
    me: Replica | None = None
    process_ended: Callable[[Replica], bool] = lambda _replica: False
    """Whether a server's process is known to have ended, because it ran on this machine."""
    measure: Callable[[str, float], None] = lambda _name, _seconds: None
    """Takes how long something took, by the name of a histogram of `services.operation.metrics`."""
    follow: Callable[[], None] = lambda: None
    """Takes over an amendment that another process recorded; called before a new participant is let in."""
    clock_stopped: Callable[[str], bool] = lambda _participant_id: False
    """Whether an author has stopped a participant's clock: stages that they open have no deadline."""
    text: Callable[[str, str], str] = lambda _language, key: key
    """Language and key -> a text for participants; only for what a service itself says to them."""
    interviewer: Interviewer | None = None
    """Chooses questions of interviews; None: rules choose."""
    open_edition: Callable[[Study, str, Mapping[str, bytes]], Edition] | None = None
    """Opens the content of an earlier version from its study, its hash and its files."""
    open_banks: Callable[[Study, Mapping[str, str]], ContentLibrary] | None = None
    """Opens that of an earlier version whose item banks alone are known, from its study and these."""
    _editions: dict[str, Edition | None] = field(default_factory=dict)
    """Of earlier versions; None where not all of their files were kept."""
    _versions: dict[str, Study] = field(default_factory=dict)
    _localised: dict[tuple[str, str], Study] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give the server a name where bootstrap has not."""
        now = self.now()
        me = self.me or Replica(secrets.token_hex(8), "", 0, now, now)
        self.replicas = Replicas(me, self.now, lambda other: self.process_ended(other))

    @cached_property
    def study_hash(self) -> str:
        """Hash of the file and everything it names, as they are now."""
        return protocol_hash(self.study, dict(self.content.materials()))

    def take(self, study: Study, content: ContentLibrary, assistants: Mapping[str, Assistant]) -> None:
        """Go on with another version of the study; assistants that only an older one names stay.

        One assignment, so that no request meets parts of both.
        """
        study_hash = protocol_hash(study, dict(content.materials()))
        kept = {**self.assistants, **assistants}
        self.__dict__.update(study=study, content=content, assistants=kept, study_hash=study_hash)

    def state(self, unit: UnitOfWork) -> State:
        """Return where the trial's life stands."""
        state = unit.meta("state") or "draft"
        if state not in get_args(State):
            raise InfrastructureError(
                f"database: the trial's state is '{state}', not one of {', '.join(get_args(State))}; something "
                "else than study-app wrote to it: restore a backup"
            )
        return state  # type: ignore[return-value]

    def study_of(self, unit: UnitOfWork, participant: Participant) -> Study:
        """Return the version that a participant started with and keeps."""
        if participant.study_hash == self.study_hash:
            return self.study
        found = self.version(unit, participant.study_hash)
        if found is None:
            raise InfrastructureError(
                f"participant {participant.id} started with version {participant.study_hash[:12]} of the study, which "
                "is not in this database"
            )
        return found

    def met_by(self, unit: UnitOfWork, participant: Participant) -> Study:
        """Return that version in the participant's language."""
        return self.localised(self.study_of(unit, participant), participant.language, participant.study_hash)

    def localised(self, study: Study, language: str, study_hash: str = "") -> Study:
        """Return a version of the study in a language; kept, since each request needs it."""
        if language in ("", study.language):
            return study
        key = (study_hash, language)
        if key not in self._localised:
            self._localised[key] = in_language(study, language)
        return self._localised[key]

    def version(self, unit: UnitOfWork, study_hash: str) -> Study | None:
        """Return the study as it was under that hash.

        Locked at launch or by an amendment, or a draft that was tried.
        """
        if study_hash == self.study_hash:
            return self.study
        if study_hash not in self._versions:
            locked = {version.study_hash: version.text for version in unit.versions()}
            text = locked.get(study_hash) or unit.meta(draft_key(study_hash))
            if text is None:
                return None
            self._versions[study_hash] = with_codes(
                stored_version(study_hash, text), unit.meta_value(codes_key(study_hash))
            )
        return self._versions[study_hash]

    def versions_met(self, unit: UnitOfWork) -> list[Study]:
        """Return every version that participants may have begun with: those that were locked, and that of now."""
        others = [each.study_hash for each in unit.versions() if each.study_hash != self.study_hash]
        return [*(found for name in others if (found := self.version(unit, name)) is not None), self.study]

    def known_version(self, study_hash: str) -> Study:
        """Return a version that this process has read already; in place of another that of now."""
        return self._versions.get(study_hash, self.study)

    def edition(self, study_hash: str) -> Edition:
        """Return content and assistants of a version, for those who started with it.

        Of a version that was launched before its files were kept, and of a draft: those of now. Of one that came back
        from a dataset: its item banks, everything else of now.
        """
        if study_hash != self.study_hash and study_hash not in self._editions:
            self._editions[study_hash] = self._kept_edition(study_hash)
        kept = None if study_hash == self.study_hash else self._editions[study_hash]
        return kept or Edition(self.content, self.assistants)

    def content_of(self, participant: Participant) -> ContentLibrary:
        """Return the content that a participant started with and keeps."""
        return self.edition(participant.study_hash).content

    def _kept_edition(self, study_hash: str) -> Edition | None:
        with self.registry.begin(write=False) as unit:
            files, study = kept_content(unit, study_hash), self.version(unit, study_hash)
            locked = next((each for each in unit.versions() if each.study_hash == study_hash), None)
            banks = published_banks(unit, study_hash)
        if banks and study is not None and self.open_banks is not None:
            return Edition(self.open_banks(study, banks), self.assistants)
        if files is None or study is None or locked is None or self.open_edition is None:
            return None
        if altered := altered_files(files, locked.materials):
            raise InfrastructureError(
                f"database: {altered[0]} of version {study_hash[:12]} is not the file that was locked; something else "
                "than study-app wrote to it: restore a backup"
            )
        return self.open_edition(study, study_hash, files)

    def now(self) -> datetime:
        """Return the clock's moment, to the millisecond, as the database keeps it."""
        now = self.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


def stored_version(study_hash: str, text: str) -> Study:
    """Return a version of the study as the database keeps it.

    Raises:
        InfrastructureError: it is none any more.
    """
    return _read(study_hash, text, read_version)


def stored_values(version: ProtocolVersion) -> dict[str, Any]:
    """Return what stands in a locked version, by section, as plain values: to compare versions.

    Raises:
        InfrastructureError: it is none any more.
    """
    return _read(version.study_hash, version.text, version_values)


def _read(study_hash: str, text: str, reader: Callable[[str], Read]) -> Read:
    try:
        return reader(text)
    except ValueError:
        raise InfrastructureError(
            f"database: version {study_hash[:12]} of the study cannot be read; something else than study-app wrote to "
            "it: restore a backup"
        ) from None


def with_codes(study: Study, kept: Mapping[str, Any] | None) -> Study:
    """Return the study with the completion codes that were kept apart from its text; unchanged where none were."""
    if kept is None:
        return study
    of_sessions: dict[str, str] = kept.get("sessions", {})
    codes = CompletionCodes.model_validate({name: value for name, value in kept.items() if name != "sessions"})
    sessions = tuple(
        session.model_copy(update={"code": of_sessions.get(session.id, session.code)}) for session in study.sessions
    )
    recruitment = study.recruitment.model_copy(update={"codes": codes})
    return study.model_copy(update={"recruitment": recruitment, "sessions": sessions})


def keep_codes(unit: UnitOfWork, study: Study, study_hash: str) -> None:
    """Keep a version's completion codes, which its published text does not hold."""
    of_sessions = {session.id: session.code for session in study.sessions if session.code}
    unit.set_meta_value(codes_key(study_hash), study.recruitment.codes.model_dump() | {"sessions": of_sessions})


def codes_key(study_hash: str) -> str:
    """Return where the database keeps the completion codes of a version."""
    return f"completion_codes:{study_hash}"


def draft_key(study_hash: str) -> str:
    """Return where the database keeps a draft that previews were made with."""
    return f"draft_version:{study_hash}"
