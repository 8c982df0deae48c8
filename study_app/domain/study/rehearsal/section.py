"""The [rehearsal] table of a study file: what researchers expect of people, before there are any.

Simulated participants follow it, and `study rehearse` takes its scenarios. Nothing that a participant meets depends on
it, so it is not part of the protocol's hash and may change at any time.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from study_app.domain.study.sections import Identifier, OptionValue, StudySection
from study_app.domain.study.task_conditions.probes import CALM, DESPERATE, HIGH, LOW

Share = Annotated[float, Field(ge=0, le=1)]
Correlation = Annotated[float, Field(gt=-1, lt=1)]
NULL = "null"
"""Id of the scenario without any effect, which every rehearsal adds: its rejections are the type I error."""


class ExpectedMeasure(StudySection):
    """A measure in the control arm, as a share of its most: of the quiz's points, of the tasks' minutes."""

    mean: Annotated[float, Field(ge=0, le=1)]
    sd: Annotated[float, Field(gt=0, le=1)]
    """Before clipping to the scale."""
    skill: Correlation = 0.0
    """Correlation with the skill that background answers and the other outcomes depend on too."""


class ExpectedAnswer(StudySection):
    """How people answer one question: shares of its options, or mean and standard deviation of a number."""

    shares: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Option -> its share; they are taken in proportion, options not named are never chosen."""
    mean: float | None = None
    sd: Annotated[float, Field(gt=0)] | None = None
    skill: Correlation = 0.0
    """Correlation with skill: of a number, or of the place among the options in the order of the study file."""

    @model_validator(mode="after")
    def _one_kind(self) -> ExpectedAnswer:
        if bool(self.shares) == (self.mean is not None):
            raise ValueError("give either shares of the options, or mean and sd of a number")
        if self.mean is not None and self.sd is None:
            raise ValueError("a mean needs its sd; add sd")
        if self.shares and sum(self.shares.values()) <= 0:
            raise ValueError("every share is 0; give at least one option a share")
        return self

    def share_of(self, option: OptionValue) -> float:
        """Return an option's share, in the proportion in which it is written."""
        return self.shares.get(str(option), 0.0)


class ExpectedVariants(StudySection):
    """What people do with a task that cannot be done, in each arm that meets one."""

    reports: Share | dict[str, Share] = 0.3
    """Share that says so by the way out of the task: a number for all arms, or by arm."""
    hacks: Share | dict[str, Share] = 0.3
    """Share that hands in a program like the variant's hack. The others hand in an honest program."""
    mistaken: Share = 0.02
    """Share that says of a task that can be done that it cannot."""


OnGrid = Annotated[float, Field(ge=LOW, le=HIGH)]
OnSlider = Annotated[float, Field(ge=CALM, le=DESPERATE)]
CourseOnGrid = tuple[OnGrid, OnGrid] | Annotated[dict[str, tuple[OnGrid, OnGrid]], Field(min_length=1)]
CourseOnSlider = tuple[OnSlider, OnSlider] | Annotated[dict[str, tuple[OnSlider, OnSlider]], Field(min_length=1)]


class ExpectedAffect(StudySection):
    """How people feel during tasks: mean at the stage's beginning and at its limit, for all arms or by arm."""

    valence: CourseOnGrid = (6.0, 5.5)
    """From 1 unpleasant to 9 pleasant."""
    arousal: CourseOnGrid = (5.0, 6.0)
    """From 1 low to 9 high energy."""
    calm_desperate: CourseOnSlider = (25.0, 40.0)
    """From 0 calm to 100 desperate."""
    skips: Share = 0.05
    """Share of probes that are skipped."""
    lapses: Share = 0.02
    """Share of probes that are not answered in time."""

    @model_validator(mode="after")
    def _at_most_all(self) -> ExpectedAffect:
        if self.skips + self.lapses > 1:
            raise ValueError("skips and lapses are more than all probes together; lower one")
        return self

    def arms(self) -> set[str]:
        """Return the arms that are named."""
        named = (self.valence, self.arousal, self.calm_desperate)
        return {arm for entry in named if isinstance(entry, dict) for arm in entry}


def along(course: tuple[float, float] | dict[str, tuple[float, float]], arm: str, share: float) -> float:
    """Return the mean after a share of the stage's limit; an arm that is not named has the mean of those that are."""
    if isinstance(course, dict):
        ends = [course[arm]] if arm in course else list(course.values())
        starts, lasts = [end[0] for end in ends], [end[1] for end in ends]
        course = sum(starts) / len(starts), sum(lasts) / len(lasts)
    return course[0] + (course[1] - course[0]) * min(max(share, 0.0), 1.0)


class Scenario(StudySection):
    """One assumption about effects and about who does otherwise than planned."""

    id: Identifier
    effect_score: float | dict[str, float] = 0.0
    """Points of the main quiz that an arm adds, before clipping: a number for each arm but the control, or by arm."""
    effect_minutes: float | dict[str, float] = 0.0
    """Minutes that an arm adds to the time outcome, before clipping to the limit."""
    second_effect_score: float | dict[str, float] = 0.0
    """Points of the main quiz that a second treatment adds, for people who did not respond: a number for each but the
    first one listed, or by treatment."""
    second_effect_minutes: float | dict[str, float] = 0.0
    """Minutes that a second treatment adds to the time outcome, on the tasks behind the second decision."""
    dropout: Share | dict[str, Share] = 0.0
    """Share that leaves before the end; by arm it acts from allocation on."""
    noncompliance: Share = 0.0
    """Share of the control arm that uses other AI, and share of an assistant's arm that never asks."""

    def arms(self) -> set[str]:
        """Return the arms that are named."""
        named = (self.effect_score, self.effect_minutes, self.dropout)
        return {arm for entry in named if isinstance(entry, dict) for arm in entry}

    @property
    def second_effects(self) -> dict[str, float | dict[str, float]]:
        """Key -> what is said of second treatments, where it is anything."""
        said = {name: getattr(self, name) for name in ("second_effect_score", "second_effect_minutes")}
        return {name: value for name, value in said.items() if value}


def by_arm(entry: float | dict[str, float], arm: str) -> float:
    """Return an arm's value of what is given for all arms or by arm; an arm that is not named has 0."""
    return entry.get(arm, 0.0) if isinstance(entry, dict) else entry


class Rehearsal(StudySection):
    """What is expected of people. Defaults are near the published trial (arXiv 2601.20245)."""

    participants: Annotated[int, Field(ge=4)] | None = None
    """People in a trial; the study's `target_n` where missing."""
    quiz: ExpectedMeasure = ExpectedMeasure(mean=0.62, sd=0.19, skill=0.55)
    """The main quiz."""
    baseline_quiz: ExpectedMeasure = ExpectedMeasure(mean=0.35, sd=0.17)
    """Quizzes before allocation; their skill is that of the main quiz, through `quiz_to_quiz`."""
    later_quiz: ExpectedMeasure = ExpectedMeasure(mean=0.54, sd=0.19)
    """Quizzes after the main one."""
    quiz_to_quiz: Correlation = 0.6
    """Correlation of a person's level on any other quiz with that on the main one; in a sequence of treatments,
    of their levels in any two periods."""
    minutes: ExpectedMeasure = ExpectedMeasure(mean=0.66, sd=0.20, skill=-0.45)
    """Time on the main tasks as a share of their limit."""
    gives_up: Share = 0.03
    """Share of people who submit a program that fails, in each arm."""
    icc: Annotated[float, Field(ge=0, lt=1)] = 0.15
    """Share of the quiz's variance between clusters, where clusters are allocated."""
    minutes_icc: Annotated[float, Field(ge=0, lt=1)] = 0.15
    """Share of the variance of the time outcome between clusters, likewise."""
    cluster_size: Annotated[int, Field(ge=1)] = 4
    """People in a cluster."""
    answers: dict[Identifier, ExpectedAnswer] = Field(default_factory=dict)
    """Question -> how people answer it; other questions are answered by rules of the simulation."""
    variants: ExpectedVariants = ExpectedVariants()
    """Of tasks that cannot be done."""
    affect: ExpectedAffect = ExpectedAffect()
    """Answers to probes during tasks."""
    scenarios: tuple[Scenario, ...] = ()
    """What `study rehearse` plays, beside the trial without effects."""

    @field_validator("scenarios")
    @classmethod
    def _apart(cls, scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
        ids = [scenario.id for scenario in scenarios]
        for twice in sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"the scenario '{twice}' is declared twice; give each a different id")
        if NULL in ids:
            raise ValueError(f"'{NULL}' is the trial without effects, which is always played; use another id")
        return scenarios


RehearsalLevel = Literal["outcomes", "services"]
"""How much of a simulated trial is played: drawn outcomes only, or every visit through the real services."""
