"""The [second_decision] table: who is randomised a second time, when, and among which treatments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import field_validator

from study_app.domain.allocation import Factor, Scheme, options
from study_app.domain.allocation.arms import Arm, whole_weight
from study_app.domain.allocation.options import share
from study_app.domain.conditions import StageCondition
from study_app.domain.study.sections import Identifier, StudyArm, StudySection

FIRST = "first"
"""Variable of the second allocation: the arm of the first one, within which its blocks run."""


class SecondTreatment(StudySection):
    """One treatment of the second randomisation; what it does not name stays as in the participant's arm."""

    id: Identifier
    """Value of the column `second_treatment`."""
    label: str = ""
    """What people read; empty: the id."""
    weight: int = 1
    """Share in the second allocation, as a whole number."""
    assistant: Identifier | Literal[""] | None = None
    """Id of an assistant under [assistants] from this stage on; empty for none, left out for the arm's own."""
    instructions: str = ""
    """Markdown shown on later stages of kind `instructions`; empty for the arm's own."""
    pledge: str = ""
    """What is promised there; empty for the arm's own."""

    @field_validator("weight", mode="before")
    @classmethod
    def _whole(cls, weight: Any) -> Any:
        return whole_weight(weight)

    @property
    def title(self) -> str:
        """The label, or the id where there is none."""
        return self.label or self.id.replace("_", " ")

    def given_to(self, arm: StudyArm) -> StudyArm:
        """Return what people of an arm meet who have this treatment; it keeps the arm's name."""
        assistant = arm.assistant if self.assistant is None else self.assistant or None
        changes = {
            "assistant": assistant,
            "persona": arm.persona if assistant else None,
            "instructions": self.instructions or arm.instructions,
            "pledge": self.pledge or arm.pledge,
        }
        return arm.model_copy(update=changes)


class SecondDecision(StudySection):
    """Who responded to the first treatment goes on with it; everybody else is randomised again."""

    stage: Identifier | Literal[""] = ""
    """The stage on the way into which it is decided; what was known before it counts."""
    responds: str = ""
    """A condition over earlier quizzes and answers, such as `halfway_points >= 3`; those who meet it have responded."""
    treatments: tuple[SecondTreatment, ...] = ()
    """What people who did not respond are randomised among."""
    method: Literal["permuted_blocks", "simple"] = "permuted_blocks"
    """`permuted_blocks` within each arm, so that each arm's people are divided evenly; or `simple`."""
    block_sizes: tuple[int, ...] = ()
    """Sizes drawn at random, each a multiple of the weights' sum; empty: two and three times that sum."""

    @field_validator("block_sizes")
    @classmethod
    def _sizes(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if any(size < 1 for size in sizes) or len(set(sizes)) < len(sizes):
            raise ValueError(f"{list(sizes)} holds a size below 1 or one twice; list each block size once")
        return sizes

    def __bool__(self) -> bool:
        """Return whether the study has one."""
        return self != SecondDecision()

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The treatments as allocation sees them."""
        return tuple(Arm(id=each.id, label=each.label, weight=each.weight) for each in self.treatments)

    def scheme(self, replacement: Literal["none", "return_slot"]) -> Scheme:
        """Return how they are drawn; a slot goes back where the first allocation's does, and blocks are used."""
        if self.method == "simple":
            return Scheme(method="simple")
        return Scheme(
            method="stratified_blocks",
            strata=(Factor(variable=FIRST),),
            block_sizes=self.block_sizes,
            replacement=replacement,
        )

    @cached_property
    def condition(self) -> StageCondition:
        """The response rule, read."""
        return StageCondition(self.responds)

    @property
    def rests_on(self) -> tuple[str, ...]:
        """What the response rule looks at, each once."""
        return tuple(dict.fromkeys(named.question for named in self.condition.named)) if self.responds else ()

    def responded(self, known: Mapping[str, Any]) -> bool:
        """Return whether a person with these values responded; what is not known meets no comparison."""
        return self.condition({name: known.get(name) for name in self.rests_on})

    def treatment(self, name: str) -> SecondTreatment:
        """Return the treatment of that id.

        Raises:
            KeyError: there is none.
        """
        found = next((each for each in self.treatments if each.id == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def probability(self, name: str) -> float | None:
        """Return the share of a treatment by the weights.

        Before any block is opened it is everybody's probability; the ledger has those given the open block.
        """
        return share(options(Scheme(method="simple"), self.arms), name)
