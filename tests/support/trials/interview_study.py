"""A short study with an interview: consent, a survey, instructions that differ by arm, the interview."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from support.clock import HandClock
from support.trials.console_trial import NoSandbox

from study_app.bootstrap import start
from study_app.domain.errors import present
from study_app.domain.events.details import EventDetails
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.participant.interviewing.state import Interview
from study_app.services.position import OnStage
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings

STUDY = """
schema = "study/1"
id = "talk"
title = "Talk"
language = "en"
languages = {languages}
contact = "help@lab.example"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
{policy}
[[arms]]
id = "plain"
label = "Marmalade"
control = true
instructions = "Go."
[[arms]]
id = "other"
label = "Turquoise"
instructions = "Go on."
[allocation]
{allocation}
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "about"
kind = "survey"
title = "About you"
[[stages.questions]]
id = "share_words"
kind = "choice"
prompt = "May what you say be shared without names?"
options = [{{ value = "yes", label = "Yes" }}, {{ value = "no", label = "No" }}]
[[stages]]
id = "instructions"
kind = "instructions"
title = "What comes"
{before}
[[stages]]
id = "talk"
kind = "interview"
title = "In your own words"
plan = "talk.toml"
{stage}
[[stages]]
id = "debrief"
kind = "debrief"
{debrief}
"""
PLAN = """
id = "talk"
version = "1"
languages = {spoken}
mode = "{mode}"
minutes = {minutes}
max_turns = {max_turns}
[[topics]]
id = "start"
goal = "How they began."
probes = {probes}
core.en = "How did you begin with the work?"
core.de = "Wie haben Sie mit der Arbeit begonnen?"
core.es = "¿Cómo empezó usted con el trabajo?"
core.fr = "Comment avez-vous commencé le travail ?"
[[topics]]
id = "hard"
goal = "What was hard."
probes = {probes}
must = {must}
core.en = "Which moment was the hardest for you?"
core.de = "Welcher Moment war für Sie am schwierigsten?"
core.es = "¿Qué momento fue el más difícil para usted?"
core.fr = "Quel moment a été le plus difficile pour vous ?"
[[closing]]
id = "more"
core.en = "What else would you like to add?"
core.de = "Was möchten Sie noch ergänzen?"
core.es = "¿Qué más le gustaría añadir?"
core.fr = "Que souhaitez-vous ajouter ?"
"""
BLOCKS = 'method = "permuted_blocks"\nblock_sizes = [2]'
LONG = "First I read the task twice, then I wrote a small loop and looked at what it printed."
"""An answer of more than twelve words."""


def plan_text(spoken: str = '["en", "de"]', **given: Any) -> str:
    """The plan, which speaks some of four languages."""
    said = [line for line in PLAN.splitlines() if not line.startswith("core.") or f'"{line[5:7]}"' in spoken]
    must = str(given.pop("must")).lower()
    return "\n".join(said).format(spoken=spoken, must=must, **given)


def write_interview_study(
    folder: Path,
    *,
    languages: str = '["en", "de"]',
    spoken: str = '["en", "de"]',
    stage: str = "",
    mode: str = "probing",
    minutes: float = 10,
    max_turns: int = 12,
    probes: int = 2,
    must: bool = True,
    top: str = "",
    end: str = "",
    policy: str = "",
    allocation: str = BLOCKS,
    before: str = "",
    end_session: str = "",
) -> Path:
    """The study file with its plan, which speaks some of four languages, next to it."""
    given = {"mode": mode, "minutes": minutes, "max_turns": max_turns, "probes": probes, "must": must}
    plan = plan_text(spoken, **given)
    (folder / "talk.toml").write_text(f"{top}\n{plan}\n{end}\n", encoding="utf-8")
    path = folder / "study.toml"
    debrief = f'session = "{end_session}"' if end_session else ""
    path.write_text(
        STUDY.format(
            languages=languages, stage=stage, policy=policy, allocation=allocation, before=before, debrief=debrief
        ),
        encoding="utf-8",
    )
    return path


class Interviewee:
    """An app with one participant at the interview, who answers by the real services, without a browser."""

    def __init__(
        self,
        folder: Path,
        *,
        environment: dict[str, str] | None = None,
        share: str = "yes",
        database: str = "",
        **study: Any,
    ):
        self.folder, self.clock = folder, HandClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.settings = Settings(
            study_file=write_interview_study(folder, **study),
            database=database or f"sqlite:///{folder}/study.db",
            var=folder / "var",
            environment=environment or {},
        )
        self.app = start(self.settings, clock=self.clock, sandbox=NoSandbox())
        self.id = self.enter(share)

    def enter(self, share: str = "yes", language: str = "") -> str:
        who = self.app.enrol.enter(EntryRequest(), language=language).participant.id
        self.app.session.consent(who, agreed=True)
        self.app.answers.submit_survey(who, "about", {"share_words": share})
        self.app.session.where(who)
        self.app.session.continue_(who, "instructions")
        return who

    @property
    def view(self) -> tuple[OnStage, Interview] | None:
        return self.app.interviews.view(self.id)

    @property
    def asked(self) -> str | None:
        """The question on the page, or None after the last."""
        place, interview = present(self.view, "a page of the interview")
        question = interview.question(place.participant.step)
        return None if question is None else question.asked.question

    def say(self, words: str) -> Interviewee:
        place, _ = present(self.view, "a page of the interview")
        self.clock.advance(seconds=20)
        step = place.participant.step
        self.app.interviews.answer(self.id, "talk", step, {f"turn_{step + 1}": words})
        return self

    def leave(self, outcome: Literal["skipped", "stopped"]) -> None:
        place, _ = present(self.view, "a page of the interview")
        self.app.interviews.leave_question(self.id, "talk", place.participant.step, "", outcome)

    def rate(self, rating: int | None, missing: str = "") -> None:
        place, _ = present(self.view, "the page after the last question")
        given = {"summary_rating": rating, "summary_missing": missing}
        self.app.interviews.answer(self.id, "talk", place.participant.step, given)

    def events(self, *kinds: type[EventDetails]) -> list[Any]:
        with self.app.context.registry.begin(write=False) as unit:
            return [event.details for event in unit.events_of(self.id, {kind.kind for kind in kinds})]

    def export(self, name: str = "out", **more: Any) -> Path:
        export(self.app.context, self.folder / name, include_preview=True, **more)
        return self.folder / name
