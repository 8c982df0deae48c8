"""The ways in: who may begin, who may come back, and that no participant gets a second arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from study_app.domain.errors import Malformed, NotAllowed, Taken, UnknownParticipant
from study_app.domain.events.server import Entered, EntryRefused, LanguageChosen, Reentered
from study_app.domain.events.words import EntryWay
from study_app.domain.records import AuditEntry, Kind, Link, Participant
from study_app.domain.sentences import REFUSALS
from study_app.domain.study.recruiting.panel_ids import panel_id_problem, placeholder_problem
from study_app.domain.study.study import Study, StudySession
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.identity import (
    LONGEST_FIELD,
    good_once,
    hashed,
    is_test_entry,
    of_reminder,
    panel_session_key,
)
from study_app.services.participant.erasing import as_kept
from study_app.services.places import places_taken, recruitment_paused
from study_app.services.retrying import retried

TOKEN_DAYS = 180
"""How long a cookie is good; long enough for a retention session."""

MOVING_HOURS = 24
"""How long a link is good that takes a participant to another device."""
CAME_BACK = "came in again by a link"
"""How the audit log names it where a real participant is let in by a link in a browser without their cookie."""
MOST_NOTED = 20
"""Entries of one participant."""
SPENT = "spent_link:"
"""Where the database keeps when a link that is good once was used."""
AGAIN = timedelta(minutes=2)
"""How long after its use a link that is good once works again: the answer with the cookie may have been lost."""


@dataclass(frozen=True)
class EntryRequest:
    """What an arriving browser presents."""

    link: str = ""
    label: str = ""
    prolific_pid: str = ""
    prolific_study: str = ""
    prolific_session: str = ""
    move: str = ""
    """The secret of a link that a participant took from one device to another."""
    test: str = ""
    """The secret of a test entry: it makes previews, whatever else the address brings."""
    again: str = ""
    """Not empty where a preview begins anew."""

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> EntryRequest:
        """From query or form fields.

        Raises:
            Malformed: a field is longer than any real one.
        """
        names = {"link": "link", "label": "label", "prolific_pid": "PROLIFIC_PID"}
        names |= {"prolific_study": "STUDY_ID", "prolific_session": "SESSION_ID", "move": "move"}
        names |= {"test": "test", "again": "again"}
        values = {name: fields.get(key, "").strip() for name, key in names.items()}
        for name, value in values.items():
            if len(value) > LONGEST_FIELD or "\x00" in value:
                raise Malformed(REFUSALS("field", name=names[name]))
        return cls(**values)


def check_entry(study: Study, entry: EntryRequest) -> None:
    """Refuse ids that no panel gave and invalid labels.

    Raises:
        Malformed: one is a placeholder, a formula, an address, or holds white space or invisible characters.
    """
    plain = study.recruitment.entry == "prolific"
    panel = {"PROLIFIC_PID": entry.prolific_pid, "STUDY_ID": entry.prolific_study, "SESSION_ID": entry.prolific_session}
    problems = {name: panel_id_problem(value, plain=plain) for name, value in panel.items() if value}
    problems["label"] = placeholder_problem(entry.label)
    for name, problem in problems.items():
        if problem is not None:
            raise Malformed(REFUSALS("id", name=name, problem=problem, contact=study.contact or REFUSALS("team")))


@dataclass(frozen=True)
class Admitted:
    """A participant who has been admitted."""

    participant: Participant
    token: str
    """For the cookie; only its hash is kept."""
    new: bool


def check_token(token: str | None) -> None:
    """Refuse a browser without a cookie before the database is asked.

    Raises:
        UnknownParticipant: there is none.
    """
    if not token:
        raise UnknownParticipant(REFUSALS("no_cookie"))


def owner_of_token(context: StudyContext, unit: UnitOfWork, token: str | None, drawn_for: str = "") -> Participant:
    """Whose cookie it is; `drawn_for`: the participant whose page asks, where it says so.

    Raises:
        UnknownParticipant: none, unknown or expired, or another person has come in by this browser since.
    """
    check_token(token)
    participant = unit.participant_of_token(hashed(token or ""), context.now())
    if participant is None or drawn_for not in ("", participant.id):
        raise UnknownParticipant(REFUSALS("signed_out"))
    return participant


class Enrol:
    """Creates participants and re-attaches them."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def identify(self, token: str | None, drawn_for: str = "") -> Participant:
        """As `owner_of_token`."""
        check_token(token)
        with self.context.registry.begin(write=False) as unit:
            return owner_of_token(self.context, unit, token, drawn_for)

    @retried
    def enter(
        self, entry: EntryRequest, token: str | None = None, kind: Kind | None = None, language: str = ""
    ) -> Admitted:
        """Create a participant, or re-attach the one that this entry or this cookie belongs to.

        Args:
            entry: what the form brought.
            token: the browser's cookie, where it has one.
            language: chosen on the welcome page; a language that the study does not offer counts as its default.
            kind: `simulated` for simulated participants; otherwise decided by the trial's state.

        Raises:
            NotAllowed: the way in is not open to this entry; the message is for the participant.
            Malformed: the entry holds what no panel gave.
            Taken: another person's study is in progress in this browser.
        """
        self.context.follow()
        check_entry(self.context.study, entry)
        with self.context.registry.begin() as unit:
            # Two requests with one session id, or for the last place, go one after the other: each sees what the one
            # before has made.
            unit.lock("enrolment")
            offered = self.context.study.offered
            chosen = language if language in offered else offered[0]
            admitted = self._admit(unit, as_kept(self.context, unit, entry), token, kind, chosen)
        # Outside the transaction: that another person tried stays on record.
        if admitted is None:
            raise Taken(REFUSALS("taken"))
        return admitted

    def _admit(
        self, unit: UnitOfWork, entry: EntryRequest, token: str | None, kind: Kind | None, language: str
    ) -> Admitted | None:
        """Who comes in; None where another person's study is in progress in this browser."""
        known = unit.participant_of_token(hashed(token), self.context.now()) if token else None
        if entry.move:
            return self._attach(unit, self._moved(unit, entry.move, known), token, known, by="personal link")
        again = bool(entry.again) and known is not None and known.kind == "preview"
        if entry.test or (again and self.context.state(unit) != "draft"):
            return self._test(unit, entry, token, known, language)
        if known is not None and _agrees(known, entry):
            return self._attach(unit, known, token, known, followed=self._followed(unit, known, entry))
        owner = self._owner(unit, entry)
        if owner is not None:
            by, followed = "participant link" if entry.link else "panel", self._followed(unit, owner, entry)
            return self._attach(unit, owner, token, known, by=by, followed=followed)
        if known is not None and known.kind == "real":
            # Another invitation or an edited address in a browser that takes part: no participant gets a second arm.
            self._check_free(known)
            unit.record(known.id, known.stage, self.context.now(), EntryRefused(foreign=_fingerprint(entry)))
            return None
        return self._create(unit, entry, kind, language)

    def _test(
        self, unit: UnitOfWork, entry: EntryRequest, token: str | None, known: Participant | None, language: str
    ) -> Admitted | None:
        """Let a researcher try the study in any state of the trial: a preview, for ever, from the preview's ledger."""
        if entry.test and not is_test_entry(unit, entry.test):
            raise NotAllowed(REFUSALS("no_link"))
        if known is not None and known.kind == "preview" and not known.over and not entry.again:
            return self._attach(unit, known, token, known)
        if known is not None and known.kind == "real" and not known.over:
            return None
        return self._create(unit, EntryRequest(test=entry.test), "preview", language)

    def _moved(self, unit: UnitOfWork, secret: str, known: Participant | None) -> Participant:
        """Whose personal link it is: one that is good once, or one of a reminder, which is for several devices.

        What is good once is spent with its first use, and goes on working in the browser that used it alone, and for
        two minutes elsewhere, each time on record: whose link it is finds it spent where another person came in by it,
        and asks.
        """
        now, once = self.context.now(), good_once(secret)
        owner = unit.participant_of_token(once, now)
        if owner is None:
            # Links of earlier versions are kept as cookies are.
            kept = (of_reminder(secret), hashed(secret))
            owner = next((found for each in kept if (found := unit.participant_of_token(each, now))), None)
        elif (spent := unit.meta(f"{SPENT}{once}")) is None:
            unit.set_meta(f"{SPENT}{once}", now.isoformat(timespec="milliseconds"))
        elif (known is None or known.id != owner.id) and now - datetime.fromisoformat(spent) > AGAIN:
            owner = None
        if owner is None:
            raise NotAllowed(REFUSALS("moved", contact=self.context.study.contact or REFUSALS("team")))
        return owner

    def _owner(self, unit: UnitOfWork, entry: EntryRequest) -> Participant | None:
        """Who proves by this entry to be them: by the same session id or the same single-use link."""
        if entry.link:
            link = unit.link(hashed(entry.link))
            return unit.participant(link.participant_id) if link and link.participant_id else None
        if entry.prolific_pid and entry.prolific_session:
            owner = unit.find(prolific_pid=entry.prolific_pid)
            if owner is not None and owner.prolific_session == entry.prolific_session:
                return owner
            return self._follower(unit, entry, owner)
        return None

    def _follower(self, unit: UnitOfWork, entry: EntryRequest, owner: Participant | None) -> Participant | None:
        """Who comes back by a panel's study for a later session; None where it is none.

        The first SESSION_ID of a person there is theirs from then on, as at the first entry.
        """
        study = self.context.study if owner is None else self.context.study_of(unit, owner)
        session = self._follow_up(study, entry)
        if session is None:
            return None
        contact = study.contact or REFUSALS("team")
        if owner is None:
            raise NotAllowed(REFUSALS("part_unknown", contact=contact))
        owner = unit.hold(owner)
        if owner.data_withdrawn:
            raise NotAllowed(REFUSALS("used", contact=contact))
        if not owner.over:
            here = study.wave(study.stage(owner.stage))
            number = 1 + [each.id for each in study.sessions].index(session.id)
            if here < number:
                raise NotAllowed(REFUSALS("part_before", contact=contact))
            if here == number and owner.opens_at is not None and self.context.now() < owner.opens_at:
                raise NotAllowed(REFUSALS("part_early", date=f"{owner.opens_at:%Y-%m-%d %H:%M} UTC"))
        key = panel_session_key(owner.id, session.id)
        kept = unit.meta(key)
        # As at the first entry: the session id is what shows that the same person comes back.
        if kept not in (None, hashed(entry.prolific_session)):
            raise NotAllowed(REFUSALS("used", contact=contact))
        unit.set_meta(key, hashed(entry.prolific_session))
        return owner

    def _follow_up(self, study: Study, entry: EntryRequest) -> StudySession | None:
        """Return the session into which the panel's study leads: of the version that a person met, or of now."""
        return study.follow_up(entry.prolific_study) or self.context.study.follow_up(entry.prolific_study)

    def _followed(self, unit: UnitOfWork, participant: Participant, entry: EntryRequest) -> str | None:
        """Return the id of the session for which a participant came back by a panel's study; None of another way."""
        session = self._follow_up(self.context.study_of(unit, participant), entry)
        return None if session is None else session.id

    def _check_free(self, known: Participant) -> None:
        if known.over:
            raise NotAllowed(REFUSALS("shared_computer"))

    def _attach(
        self,
        unit: UnitOfWork,
        participant: Participant,
        token: str | None,
        known: Participant | None,
        *,
        by: str = "",
        followed: str | None = None,
    ) -> Admitted:
        """Let a participant in again; a browser that has their cookie keeps it, for longer.

        In another browser `by` a link, or the panel's ids, is on record in the audit log: who made them, or was shown
        them, can use them. The log of events names the session into which a follow-up study led.
        """
        if token and known is not None and known.id == participant.id:
            unit.renew_token(hashed(token), self.context.now() + timedelta(days=TOKEN_DAYS))
        else:
            token = self._token(unit, participant)
            if by and participant.kind == "real":
                self._note_way_in(unit, participant, by)
        unit.record(participant.id, participant.stage, self.context.now(), Reentered(session=followed))
        return Admitted(participant, token, new=False)

    def _note_way_in(self, unit: UnitOfWork, participant: Participant, by: str) -> None:
        mine = [entry for entry in unit.audit_of([CAME_BACK]) if entry.detail.get("participant_id") == participant.id]
        # The audit log never shrinks: who presses all day fills it no further.
        if len(mine) < MOST_NOTED:
            detail = {"participant_id": participant.id, "by": by}
            unit.add_audit(AuditEntry(self.context.now(), "platform", CAME_BACK, "", detail))

    def _create(self, unit: UnitOfWork, entry: EntryRequest, kind: Kind | None, language: str) -> Admitted:
        state = self.context.state(unit)
        chosen: Kind = kind or ("preview" if state == "draft" else "real")
        if chosen == "real":
            self._check_open(unit, entry, state)
        link = self._check_link(unit, entry)
        now = self.context.now()
        participant = Participant(
            id=self.context.fresh_id(),
            kind=chosen,
            study_hash=self.context.study_hash,
            status="in_progress",
            stage=self.context.study.stages[0].id,
            step=0,
            enrolled_at=now,
            last_seen_at=now,
            label=(link.label if link else entry.label) or None,
            link=link.token_hash if link else None,
            prolific_pid=entry.prolific_pid or None,
            prolific_study=entry.prolific_study or None,
            prolific_session=entry.prolific_session or None,
            language=language,
        )
        if self._taken(unit, entry, chosen) or not unit.add_participant(participant):
            raise NotAllowed(REFUSALS("used", contact=self.context.study.contact or REFUSALS("team")))
        if link is not None:
            unit.take_link(link.token_hash, participant.id)
        unit.record(participant.id, participant.stage, now, Entered(way=_way(entry)))
        offered = self.context.study.offered
        if len(offered) > 1:
            choice = LanguageChosen(language=language, offered=tuple(offered))
            unit.record(participant.id, participant.stage, now, choice)
        return Admitted(participant, self._token(unit, participant), new=True)

    def _taken(self, unit: UnitOfWork, entry: EntryRequest, kind: Kind) -> bool:
        """Whether another participant came with the same session, or with a label that only one person can have."""
        if (
            kind == "real"
            and entry.prolific_session
            and unit.find(kind="real", prolific_session=entry.prolific_session)
        ):
            return True
        shared = self.context.study.label_names_group
        return bool(entry.label and not entry.link and not shared and unit.find(label=entry.label))

    def _check_open(self, unit: UnitOfWork, entry: EntryRequest, state: str) -> None:
        if state != "launched":
            raise NotAllowed(REFUSALS("closed"))
        if recruitment_paused(unit) is not None:
            raise NotAllowed(REFUSALS("recruitment_paused"))
        recruitment = self.context.study.recruitment
        if places_taken(self.context, unit) >= recruitment.target_n:
            panel = recruitment.entry == "prolific"
            raise NotAllowed(REFUSALS("full_code", code=recruitment.codes.full) if panel else REFUSALS("full"))
        way = recruitment.entry
        if way == "links" and not entry.link:
            raise NotAllowed(REFUSALS("links_only"))
        if way == "prolific" and not (entry.prolific_pid and entry.prolific_session):
            raise NotAllowed(REFUSALS("panel_only"))

    def _check_link(self, unit: UnitOfWork, entry: EntryRequest) -> Link | None:
        if not entry.link:
            return None
        link = unit.link(hashed(entry.link))
        if link is None:
            raise NotAllowed(REFUSALS("no_link"))
        return link

    def _token(self, unit: UnitOfWork, participant: Participant) -> str:
        token = self.context.fresh_id() + self.context.fresh_id()
        unit.add_token(participant.id, hashed(token), self.context.now() + timedelta(days=TOKEN_DAYS))
        return token

    def moving_token(self, participant_id: str) -> str:
        """Return the secret of a link with which this participant goes on in another browser, once, within a day."""
        with self.context.registry.begin() as unit:
            return self.moving_token_in(unit, participant_id)

    def moving_token_in(self, unit: UnitOfWork, participant_id: str) -> str:
        """As `moving_token`, within a transaction."""
        token = self.context.fresh_id() + self.context.fresh_id()
        # Not as a cookie is kept: put into a browser as one, it would let its maker in with nothing on record.
        unit.add_token(participant_id, good_once(token), self.context.now() + timedelta(hours=MOVING_HOURS))
        return token


def _agrees(known: Participant, entry: EntryRequest) -> bool:
    """Return whether a browser that is signed in shows the same person's entry, or none at all."""
    if entry.prolific_pid and entry.prolific_pid != known.prolific_pid:
        return False
    if entry.link and hashed(entry.link) != known.link:
        return False
    return not (entry.label and entry.label != known.label)


def _fingerprint(entry: EntryRequest) -> str:
    """Of whom an entry names: enough to tell two apart, not to know who they are."""
    return hashed("|".join((entry.prolific_pid, entry.link, entry.label)))[:16]


def _way(entry: EntryRequest) -> EntryWay:
    if entry.test:
        return "test"
    if entry.link:
        return "link"
    if entry.prolific_pid:
        return "prolific"
    return "label" if entry.label else "open"
