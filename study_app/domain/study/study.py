"""The study file as types: arms, stages, limits, allocation, plan; validated whole, hashed as canonical JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from study_app.domain.allocation import Scheme, options, order_of
from study_app.domain.allocation.options import DECISION_MARK, share
from study_app.domain.content.content_paths import name_of
from study_app.domain.study.analysis_plan import ADDED_PLAN_KEYS, Plan
from study_app.domain.study.branches import branch_problems
from study_app.domain.study.factorial.cells import cells, factor_problems, with_cells
from study_app.domain.study.factorial.sections import ArmsFrom, TreatmentFactor
from study_app.domain.study.interviewing.placement import interview_problems
from study_app.domain.study.operating.alerts import Alerts, alert_problems
from study_app.domain.study.quiz_confidence import confidence_problems
from study_app.domain.study.quiz_roles import Quiz, quizzes_of
from study_app.domain.study.recruiting.completion_codes import codes_digest
from study_app.domain.study.recruiting.quotas import quota_problems
from study_app.domain.study.rehearsal.problems import rehearsal_problems
from study_app.domain.study.rehearsal.section import Rehearsal
from study_app.domain.study.release import Release
from study_app.domain.study.sections import (
    ActivityRule,
    AnswerOption,
    AssistantEntry,
    AssistantPolicy,
    CompletionCodes,
    ConsentFacts,
    DataPolicy,
    DerivedScore,
    EntryMode,
    Identifier,
    OptionValue,
    PersonaEntry,
    Question,
    Recruitment,
    SandboxPolicy,
    Stage,
    StageKind,
    StudyArm,
    StudySection,
    StudySession,
)
from study_app.domain.study.sequential.problems import second_decision_problems
from study_app.domain.study.sequential.sections import SecondDecision
from study_app.domain.study.task_conditions.personas import persona_problems
from study_app.domain.study.task_conditions.probes import (
    AffectProbes,
    ScheduledProbe,
    probe_problems,
    probed_stages,
    probes_at,
)
from study_app.domain.study.task_conditions.variants import variant_problems, varied

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,8})?")

ADDED_KEYS = (
    ("recruitment", "quotas"),
    ("recruitment", "bonus"),
    *(("analysis", key) for key in ADDED_PLAN_KEYS),
    ("", "factors"),
    ("", "arms_from"),
    ("", "personas"),
    ("", "probes"),
    ("assistant_policy", "drift_probes"),
    ("assistant_policy", "on_retirement"),
    ("", "second_decision"),
)
"""Keys that came after studies had been launched, each with its section (empty for the top of the file). They stand in
a study's text, and so in its hash, only where they are used: an upgrade changes the hash of no study. A key that is
added joins them, or a test of the hash fails."""
ADDED_ARM_KEYS = ("variants", "persona")
"""The same for the keys of an arm."""
ADDED_STAGE_KEYS = ("plan", "sharing")
"""The same of the keys of a stage."""

__all__ = [
    "ActivityRule",
    "AnswerOption",
    "AssistantEntry",
    "AssistantPolicy",
    "CompletionCodes",
    "ConsentFacts",
    "DataPolicy",
    "DerivedScore",
    "EntryMode",
    "Identifier",
    "OptionValue",
    "PersonaEntry",
    "Question",
    "Recruitment",
    "SandboxPolicy",
    "Stage",
    "StageKind",
    "Study",
    "StudyArm",
    "StudySection",
    "StudySession",
    "canonical_json",
    "protocol_hash",
]


class Study(StudySection):
    """A whole trial."""

    schema_: Literal["study/1"] = Field(alias="schema")
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$", max_length=40)]
    title: str
    description: str = ""
    language: str = "en"
    """The language that the study is written in; participants meet it where `languages` offers no choice."""
    languages: tuple[str, ...] = ()
    """Languages that participants can choose from at the entry, the first as the default; empty for `language` only."""
    translations: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Language -> dotted key -> text; read from `texts/<language>.toml` beside the study file, never written in it."""
    contact: str = ""
    """Whom participants write to: a name, an address."""
    researchers: str = ""
    """Who carries the study out, as the consent page names them; the dataset has each as an author. Separate by `;`."""
    ethics: str = ""
    """The ethics approval and its number, as the consent page gives it."""
    requirements: str = ""
    """File with the packages that participants' programs use, as pip reads it; `study setup` installs them."""
    consent: ConsentFacts = ConsentFacts()
    arms: tuple[StudyArm, ...] = Field(min_length=1)
    factors: tuple[TreatmentFactor, ...] = ()
    """What is varied independently; `arms_from` crosses their levels into arms."""
    arms_from: ArmsFrom = ArmsFrom()
    """In place of [[arms]]: arms as the cells of a factorial design."""
    allocation: Scheme
    second_decision: SecondDecision = SecondDecision()
    """A second randomisation, of those who did not respond to the first treatment."""
    recruitment: Recruitment = Recruitment()
    data: DataPolicy = DataPolicy()
    dataset: Release = Release()
    """Licence, authors and citation of the dataset; no part of the hash, see `Release`."""
    alerts: Alerts = Alerts()
    """What researchers hear of while the trial runs; no part of the hash, see `Alerts`."""
    assistants: dict[str, AssistantEntry] = Field(default_factory=dict)
    personas: dict[Identifier, PersonaEntry] = Field(default_factory=dict)
    """Ways of speaking that arms choose by `persona`, each a file."""
    assistant_policy: AssistantPolicy = AssistantPolicy()
    sandbox: SandboxPolicy = SandboxPolicy()
    activity: ActivityRule = ActivityRule()
    sessions: tuple[StudySession, ...] = Field(default=(StudySession(id="main"),), min_length=1)
    stages: tuple[Stage, ...] = Field(min_length=1)
    probes: tuple[AffectProbes, ...] = ()
    """When people are asked during tasks how they feel, with the clock stopped; the same in every arm."""
    styles: dict[str, Any] = Field(default_factory=dict)
    """Patterns of use of the study's own, in place of the published six; see docs/explanation/styles.md."""
    analysis: Plan = Field(default_factory=Plan)
    rehearsal: Rehearsal = Rehearsal()
    """What is expected of people, for simulations; no part of the hash, see `Rehearsal`."""

    @model_validator(mode="before")
    @classmethod
    def _arms_made(cls, value: Any) -> Any:
        return with_cells(value) if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _coherent(self) -> Study:
        wrong_factors = factor_problems(self.factors, self.arms_from, self.arms, self.allocation.method)
        problems = [
            *self._language_problems(),
            *(wrong_factors or self._arm_problems()),
            *self._stage_problems(),
            *self._session_problems(),
            *self._question_problems(),
            *branch_problems(self),
            *confidence_problems(self.stages),
            *interview_problems(self),
            *alert_problems(self.alerts, self.assistant_policy.study_cost_limit),
            *rehearsal_problems(
                self.rehearsal,
                self.stages,
                self.arms,
                sequence=self.allocation.method == "sequence",
                clustered=self.allocation.method == "cluster",
                treatments=[each.id for each in self.second_decision.treatments],
            ),
            *quota_problems(self),
            *probe_problems(self.probes, self.stages),
            *variant_problems(self.arms, self.stages, mixed=self.analysis.variant_time),
            *second_decision_problems(self),
        ]
        if problems:
            raise ValueError("\n".join(problems))
        # Caps follow from the stages, which the plan does not know when it is read.
        self.__dict__["analysis"] = self.analysis.with_limit(self.task_limit)
        return self

    def _language_problems(self) -> list[str]:
        found = []
        for twice in sorted({each for each in self.languages if self.languages.count(each) > 1}):
            found.append(f"languages: '{twice}' is named twice; name each language once")
        if self.languages and self.language not in self.languages:
            found.append(
                f"languages: '{self.language}', in which the study is written, is missing; add it, or correct "
                "`language`"
            )
        wrong = [each for each in (self.language, *self.languages) if not _LANGUAGE.fullmatch(each)]
        for each in dict.fromkeys(wrong):
            found.append(f"languages: '{each}' is not a language's code; write two or three letters such as en or de")
        return found

    @property
    def offered(self) -> tuple[str, ...]:
        """The languages that participants can meet the study in, the default first."""
        return self.languages or (self.language,)

    def _arm_problems(self) -> list[str]:
        found = []
        ids = [arm.id for arm in self.arms]
        for twice in sorted({arm for arm in ids if ids.count(arm) > 1}):
            found.append(f"arms: '{twice}' is declared twice; give each arm a different id")
        controls = [arm.id for arm in self.arms if arm.control]
        if len(self.arms) > 1 and len(controls) != 1:
            found.append(f"arms: {len(controls)} arms are marked control; mark exactly one with control = true")
        found += persona_problems(self.arms, self.personas)
        for arm in self.arms:
            if arm.assistant and arm.assistant not in self.assistants:
                known = ", ".join(sorted(self.assistants)) or "none"
                found.append(
                    f"arms.{arm.id}.assistant: '{arm.assistant}' is not declared; add [assistants.{arm.assistant}] "
                    f"or use one of: {known}"
                )
        return found

    def _stage_problems(self) -> list[str]:
        found = []
        ids = [stage.id for stage in self.stages]
        for twice in sorted({stage for stage in ids if ids.count(stage) > 1}):
            found.append(f"stages: '{twice}' is declared twice; give each stage a different id")
        sessions = [session.id for session in self.sessions]
        order = [sessions.index(stage.session) for stage in self.stages if stage.session in sessions]
        for stage in self.stages:
            if stage.session not in sessions:
                found.append(
                    f"stages.{stage.id}.session: '{stage.session}' is not declared; use one of: {', '.join(sessions)}"
                )
        if order != sorted(order):
            found.append("stages: they are not in the order of their sessions; keep each session's stages together")
        if self.stages[0].kind != "consent":
            found.append(f"stages: the first is of kind '{self.stages[0].kind}'; begin with a stage of kind consent")
        if self.stages[-1].kind != "debrief":
            found.append(f"stages: the last is of kind '{self.stages[-1].kind}'; end with a stage of kind debrief")
        if len(self.arms) > 1 and self.allocation_stage is None:
            found.append("stages: none differs by arm; add a stage of kind instructions or tasks with assistant = true")
        return found

    def _session_problems(self) -> list[str]:
        found = []
        listed = [study for session in self.sessions for study in session.studies]
        for twice in sorted({study for study in listed if listed.count(study) > 1}):
            found.append(f"sessions: the panel's study '{twice}' leads into two sessions; name it in one")
        first = self.sessions[0]
        for key in ("window_days", "remind_days", "studies"):
            if getattr(first, key):
                found.append(
                    f"sessions.{first.id}.{key}: the first session is the one that people enter the study by; leave "
                    "this to later sessions"
                )
        for session in self.sessions[1:]:
            late = [days for days in session.remind_days if session.window_days and days >= session.window_days]
            if late:
                found.append(
                    f"sessions.{session.id}.remind_days: {late[0]:g} days after the opening the session has closed "
                    f"(window_days = {session.window_days:g}); remind earlier"
                )
        return found

    def _question_problems(self) -> list[str]:
        asked = [question.id for stage in self.stages for question in stage.questions]
        asked += [score.id for stage in self.stages for score in stage.scores]
        found = [
            f"stages: the question id '{twice}' is used twice; question ids are columns of the dataset, make it unique"
            for twice in sorted({name for name in asked if asked.count(name) > 1})
        ]
        for stage in self.stages:
            keyed = {question.id for question in stage.asked if question.correct is not None}
            for score in stage.scores:
                for name in score.of:
                    if name not in keyed:
                        found.append(
                            f"stages.{stage.id}.scores.{score.id}: '{name}' is not a question with a correct answer; "
                            "name questions of the same stage that have one"
                        )
        return found

    @property
    def label_names_group(self) -> bool:
        """Whether allocation reads participants' labels, so that several people may share one."""
        return "label" in self.allocation.variables

    # -- the order of things -------------------------------------------------------------------------------------------

    def stage(self, stage_id: str) -> Stage:
        """Return the stage of that id.

        Raises:
            KeyError: there is none.
        """
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)

    def next_stage(self, stage_id: str) -> Stage | None:
        """Return the stage that follows, or None after the last."""
        index = self.stages.index(self.stage(stage_id))
        return self.stages[index + 1] if index + 1 < len(self.stages) else None

    def straight_after(self, stage_id: str) -> Stage | None:
        """Return the stage that participants come to on leaving one; None after the last, and before a wait."""
        following = self.next_stage(stage_id)
        return following if following is not None and not self.delay_before(following) else None

    def delay_before(self, stage: Stage) -> float:
        """Days to wait before this stage opens: its session's delay if it is the first of its session, else 0."""
        first = next(other for other in self.stages if other.session == stage.session)
        if first.id != stage.id or stage.id == self.stages[0].id:
            return 0.0
        return next(session.delay_days for session in self.sessions if session.id == stage.session)

    def session_of(self, stage: Stage) -> StudySession:
        """Return the session that a stage belongs to."""
        return next(session for session in self.sessions if session.id == stage.session)

    def wave(self, stage: Stage) -> int:
        """Return the number of a stage's session, from 1."""
        return 1 + self.sessions.index(self.session_of(stage))

    def opens_session(self, stage: Stage) -> bool:
        """Return whether a stage is the first of its session."""
        return next(other for other in self.stages if other.session == stage.session).id == stage.id

    def session_code(self, session: StudySession) -> str:
        """Return the completion code of a session; empty for one but the last that names none."""
        last = self.stages[-1].session == session.id
        return session.code or (self.recruitment.codes.completed if last else "")

    def follow_up(self, panel_study: str) -> StudySession | None:
        """Return the session that one of the panel's studies leads back into."""
        return next((each for each in self.sessions if panel_study and panel_study in each.studies), None)

    def differs_by_arm(self, stage: Stage) -> bool:
        """Return whether what a participant meets here depends on the arm."""
        if stage.kind == "instructions":
            return len({(arm.instructions, arm.pledge) for arm in self.arms}) > 1 or len(self.arms) > 1
        if stage.kind != "tasks":
            return False
        helped = stage.assistant and len({arm.treatment for arm in self.arms}) > 1
        return helped or any(varied(self.arms, folder) for folder in stage.packs)

    @property
    def allocation_stage(self) -> Stage | None:
        """The first stage that differs by arm: allocation happens on the way in, never earlier."""
        return next((stage for stage in self.stages if self.differs_by_arm(stage)), None)

    @property
    def before_allocation(self) -> tuple[Stage, ...]:
        """The stages that a participant has behind them when allocated; all of them where nothing differs by arm."""
        first = self.allocation_stage
        return self.stages if first is None else self.stages[: self.stages.index(first)]

    @property
    def quizzes(self) -> tuple[Quiz, ...]:
        """The quizzes in order, each with its role."""
        return quizzes_of(self.stages, self.allocation_stage)

    @property
    def main_quiz(self) -> Stage | None:
        """The quiz of the outcome columns `quiz_...`, or None."""
        return next((quiz.stage for quiz in self.quizzes if quiz.role == "main"), None)

    @property
    def cells(self) -> dict[str, dict[str, str]]:
        """Arm -> its level of each factor; empty without factors, and without the nested control."""
        return cells(self.factors, self.arms_from)

    def arms_at(self, factor: str, level: str) -> list[str]:
        """Return the arms that have a level of a factor."""
        return [arm for arm, levels in self.cells.items() if levels[factor] == level]

    @property
    def control(self) -> StudyArm:
        """The control arm (the only arm where there is one)."""
        return next((arm for arm in self.arms if arm.control), self.arms[0])

    def arm(self, allocated: str, stage: Stage | None = None) -> StudyArm:
        """Return the arm that an allocation gives at a stage, with the treatment of a second randomisation from it on.

        For a crossover it is the arm of the stage's period.
        """
        first, _, second = allocated.partition(DECISION_MARK)
        order = order_of(first)
        period = self.period(stage) if stage is not None else 1
        arm = next(arm for arm in self.arms if arm.id == order[min(period, len(order)) - 1])
        later = bool(second) and stage is not None and self.after_second_decision(stage)
        return self.second_decision.treatment(second).given_to(arm) if later else arm

    def after_second_decision(self, stage: Stage) -> bool:
        """Return whether a stage is the one that a second randomisation comes before, or a later one."""
        ids = [each.id for each in self.stages]
        named = self.second_decision.stage
        return bool(named) and named in ids and ids.index(stage.id) >= ids.index(named)

    @property
    def second_scheme(self) -> Scheme:
        """How the second randomisation draws."""
        return self.second_decision.scheme(self.allocation.replacement)

    @property
    def arms_met(self) -> tuple[StudyArm, ...]:
        """The arms, and behind them each arm with each treatment of a second randomisation."""
        given = self.second_decision.treatments
        return (*self.arms, *(treatment.given_to(arm) for arm in self.arms for treatment in given))

    @property
    def assisted_alike(self) -> bool:
        """Whether all arms with an assistant have the same one, so that its replies tell no arms apart."""
        return len({arm.treatment for arm in self.arms_met if arm.assistant}) <= 1

    def has_assistant(self, allocated: str | None) -> bool:
        """Return whether an allocation gives an assistant anywhere; there is none before the allocation."""
        if allocated is None:
            return False
        first, _, second = allocated.partition(DECISION_MARK)
        found = [arm for arm in self.arms if arm.id in order_of(first)]
        if second:
            found += [self.second_decision.treatment(second).given_to(arm) for arm in found]
        return any(arm.assistant for arm in found)

    def probability(self, arm: str) -> float | None:
        """Return the share of an arm by the weights: everybody's probability of it before any block is opened."""
        return share(options(self.allocation, self.arms), arm)

    def period(self, stage: Stage) -> int:
        """Of a crossover, from 1: a period ends with the stage of tasks that has assistants, else with instructions."""
        before = self.stages[: self.stages.index(stage)]
        return 1 + sum(each in before for each in self.period_stages)

    @property
    def period_stages(self) -> tuple[Stage, ...]:
        """Of a crossover: the stage that ends each period, in order."""
        ends = tuple(each for each in self.stages if self.differs_by_arm(each))
        return tuple(each for each in ends if each.kind == "tasks") or ends

    @property
    def period_quizzes(self) -> tuple[Stage, ...]:
        """Of a crossover: the first quiz after the stage of each period; empty unless every period has one."""
        ends = self.period_stages
        starts = [self.stages.index(stage) for stage in ends]
        found = []
        # With one arm no stage differs by arm, and there are no periods.
        for start, end in zip(starts, [*starts[1:], len(self.stages)][: len(starts)], strict=True):
            found += [stage for stage in self.stages[start + 1 : end] if stage.kind == "quiz"][:1]
        return tuple(found) if len(found) == len(ends) else ()

    @property
    def pack_folders(self) -> tuple[str, ...]:
        """Folders of every task pack that anybody may meet, each once: the tasks, then the variants of arms."""
        tasks = [folder for stage in self.stages for folder in stage.packs]
        return tuple(dict.fromkeys([*tasks, *(arm.shown(folder) for arm in self.arms for folder in tasks)]))

    def content_paths(self) -> Iterator[tuple[str, str]]:
        """Yield each path of content that the study file itself names, with its key."""
        for stage in self.stages:
            yield from ((f"stages.{stage.id}.packs", folder) for folder in stage.packs)
            if stage.bank:
                yield f"stages.{stage.id}.bank", stage.bank
            if stage.plan:
                yield f"stages.{stage.id}.plan", stage.plan
        for arm in self.arms:
            yield from ((f"arms.{arm.id}.variants.{task}", folder) for task, folder in arm.variants.items())
        yield from ((f"assistants.{name}.file", entry.file) for name, entry in self.assistants.items())
        yield from ((f"personas.{name}.file", voice.file) for name, voice in self.personas.items())
        if self.requirements:
            yield "requirements", self.requirements

    @property
    def helped_packs(self) -> tuple[str, ...]:
        """Folders of the packs that anybody may meet on a stage with assistants, each once."""
        tasks = [folder for stage in self.stages if stage.assistant for folder in stage.packs]
        return tuple(dict.fromkeys([*tasks, *(arm.shown(folder) for arm in self.arms for folder in tasks)]))

    @property
    def varied_tasks(self) -> frozenset[str]:
        """Tasks in whose place some arms meet a variant."""
        return frozenset(task for arm in self.arms for task in arm.variants)

    def probes_at(self, stage: str) -> tuple[ScheduledProbe, ...]:
        """Return the probes of affect at a stage, the earliest first."""
        return probes_at(self.probes, self.stages, stage)

    @property
    def probed_stages(self) -> tuple[Stage, ...]:
        """The stages with probes of affect, in order."""
        return probed_stages(self.probes, self.stages)

    @property
    def offers_exit(self) -> bool:
        """Whether every task has the way out `This cannot be done as described`: in every arm, if one has variants."""
        return bool(self.varied_tasks)

    def variants_met(self, allocated: str) -> tuple[str, ...]:
        """Return the folders of the variants that an allocation shows."""
        folders = [(folder, stage) for stage in self.stages for folder in stage.packs]
        shown = [self.shown_pack(folder, stage, allocated) for folder, stage in folders]
        return tuple(pack for pack, (folder, _) in zip(shown, folders, strict=True) if pack != folder)

    def names_folder(self, folder: str, key: str = "") -> str:
        """Return the key that names a folder of content: of a stage, with `key` behind it, or of an arm's variant."""
        stage = next((each for each in self.stages if folder in each.packs or folder == each.bank), None)
        if stage is not None:
            return f"stages.{stage.id}.{key}" if key else f"stages.{stage.id}"
        arm, task = next((arm, task) for arm in self.arms for task, path in arm.variants.items() if path == folder)
        return f"arms.{arm.id}.variants.{task}"

    def shown_pack(self, folder: str, stage: Stage, allocated: str | None) -> str:
        """Return the folder of the pack that an allocation shows in a task's place."""
        return self.arm(allocated, stage).shown(folder) if allocated is not None and self.varied_tasks else folder

    @property
    def main_task_stages(self) -> tuple[Stage, ...]:
        """The stages whose tasks make the task columns."""
        return tuple(stage for stage in self.stages if stage.kind == "tasks" and stage.main)

    @property
    def counted_task_stages(self) -> tuple[Stage, ...]:
        """The main task stages of the time, completion and checks; those with variants only where the plan says so."""
        return tuple(stage for stage in self.main_task_stages if self.analysis.variant_time or not self.varies(stage))

    def varies(self, stage: Stage) -> bool:
        """Return whether some arms meet variants on a stage."""
        return any(name_of(folder) in self.varied_tasks for folder in stage.packs)

    @property
    def task_limit(self) -> float:
        """Minutes for all counted task stages together; 0 without any."""
        return sum(stage.minutes or 0.0 for stage in self.counted_task_stages)

    @property
    def background_questions(self) -> tuple[Question, ...]:
        """Questions of surveys and eligibility before the outcomes, in order."""
        return tuple(q for stage in self.stages if not stage.exit for q in stage.asked)

    @property
    def exit_questions(self) -> tuple[Question, ...]:
        """Questions of surveys marked exit, in order."""
        return tuple(q for stage in self.stages if stage.exit for q in stage.asked)

    def canonical(self) -> str:
        """Return the study as canonical JSON: sorted keys, no spaces, UTF-8."""
        return canonical_json(self.published())

    def published(self) -> dict[str, Any]:
        """Return the study as a version holds it: a digest stands in place of the completion codes."""
        raw = self.model_dump(mode="json", by_alias=True, exclude={"dataset", "alerts", "rehearsal"})
        for section, key in ADDED_KEYS:
            holder = getattr(self, section) if section else self
            if getattr(holder, key) == type(holder).model_fields[key].get_default(call_default_factory=True):
                (raw[section] if section else raw).pop(key, None)
        for arm in raw["arms"]:
            for key in ADDED_ARM_KEYS:
                if not arm[key]:
                    del arm[key]
        for stage in raw["stages"]:
            for key in ADDED_STAGE_KEYS:
                if stage[key] == Stage.model_fields[key].default:
                    del stage[key]
        raw["recruitment"]["codes"] = codes_digest(self.id, raw["recruitment"]["codes"])
        for session in raw["sessions"]:
            session["code"] = session["code"] and codes_digest(self.id, {"code": session["code"]})
        return raw


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values have equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def protocol_hash(study: Study, materials: dict[str, str]) -> str:
    """SHA-256 over the study and the hashes of everything a participant meets.

    Args:
        study: the validated study.
        materials: path relative to the study file -> SHA-256 of the file's bytes (packs, banks, assistants).
    """
    return hashlib.sha256(canonical_json({"study": study.canonical(), "materials": materials}).encode()).hexdigest()
