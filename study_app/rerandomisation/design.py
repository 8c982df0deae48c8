"""Who arrived in which order under which scheme: what a re-randomisation holds fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study_app.domain.allocation import Scheme
from study_app.domain.allocation.arms import AllocationOption, Arm
from study_app.domain.allocation.options import options
from study_app.domain.errors import UserError


class NoRandomisationDistribution(UserError):
    """The scheme leaves nothing, or too little, to chance for a re-randomisation test."""


class RandomisationWarning(UserWarning):
    """A re-randomisation is possible, and not exact."""


@dataclass(frozen=True)
class Regime:
    """A scheme with its options; one set of counts and open blocks."""

    scheme: Scheme
    options: tuple[AllocationOption, ...]
    ledger: str = "real"


@dataclass(frozen=True)
class AllocatedPerson:
    """One allocation as the design sees it."""

    regime: int
    """Position in `Design.regimes`."""
    levels: Mapping[str, str]
    returned: tuple[int, ...] = ()
    """Positions in `Design.people` of those whose slots went back just before."""
    participant_id: str = ""


@dataclass(frozen=True)
class RegimeRow:
    """One row of a ledger under the scheme that was in force."""

    regime: Regime
    index: int
    """From 1 within the ledger."""
    levels: Mapping[str, str]
    returned: tuple[int, ...]
    """Indices whose slots went back just before."""
    participant_id: str


@dataclass(frozen=True)
class Design:
    """Arrival order, categories and schemes of one or several ledgers."""

    regimes: tuple[Regime, ...]
    people: tuple[AllocatedPerson, ...]
    arms: tuple[str, ...] = field(init=False)
    """What the replicates' numbers stand for: arms (or orders) in order of first declaration."""

    def __post_init__(self) -> None:
        # An amendment may add an arm: the numbers of the arms before it must stay what they were.
        names = dict.fromkeys(option.id for regime in self.regimes for option in regime.options)
        object.__setattr__(self, "arms", tuple(names))

    @classmethod
    def of(
        cls, scheme: Scheme | Mapping[str, Any], arms: Sequence[Arm | str], profiles: Iterable[Mapping[str, Any]]
    ) -> Design:
        """Return one scheme and the baseline values of people in order of arrival.

        Args:
            scheme: The scheme, or its table as a mapping.
            arms: The study's arms; a name alone has weight 1.
            profiles: Baseline values by variable, one mapping a person.
        """
        whole = scheme if isinstance(scheme, Scheme) else Scheme.model_validate(dict(scheme))
        weighted = [
            AllocationOption(arm, 1) if isinstance(arm, str) else AllocationOption(arm.id, arm.weight) for arm in arms
        ]
        people = tuple(AllocatedPerson(0, whole.levels(profile)) for profile in profiles)
        return cls((Regime(whole, options(whole, weighted)),), people)

    @classmethod
    def from_ledger(cls, rows: Iterable[RegimeRow]) -> Design:
        """Return the design behind a ledger, amendments included; several ledgers are run apart.

        Args:
            rows: In any order; sorted here by ledger and index.
        """
        regimes: dict[Regime, int] = {}
        people: list[AllocatedPerson] = []
        places: dict[tuple[str, int], int] = {}
        # Ledgers are independent, so that one after the other is as good as interleaved; within one, order is what the
        # scheme saw.
        for row in sorted(rows, key=lambda row: (row.regime.ledger, row.index)):
            ledger = row.regime.ledger
            places[ledger, row.index] = len(people)
            returned = tuple(places[ledger, index] for index in row.returned if (ledger, index) in places)
            # Equal schemes before and after an amendment are one regime: counts and open blocks went on through it.
            position = regimes.setdefault(row.regime, len(regimes))
            people.append(AllocatedPerson(position, row.levels, returned, row.participant_id))
        return cls(tuple(regimes), tuple(people))

    def refuse_deterministic(self) -> None:
        """Refuse what no re-randomisation can stand on.

        Raises:
            NoRandomisationDistribution: minimisation that always takes the arm that balances best.
        """
        for regime in self.regimes:
            # With nearly one possible assignment p is 1 whatever the effect: a refusal says more than that number.
            if regime.scheme.unit_method == "minimisation" and regime.scheme.preferred >= 1:
                raise NoRandomisationDistribution(
                    "allocation: minimisation with probability 1.0 fixes nearly every arm by who came before, so that "
                    "replicates differ only where scores tie and a re-randomisation test has no distribution to stand "
                    "on; analyse with the factors as covariates, and plan a probability below 1, such as 0.8, next time"
                )

    def caveats(self) -> list[str]:
        """Return why a re-randomisation of this design is not exact; empty where it is."""
        found = []
        if any(regime.scheme.replacement == "return_slot" for regime in self.regimes):
            found.append(
                "replacement = return_slot: replicates return the slots of the same people at the same times, which is "
                "exact only if withdrawing did not depend on the arm"
            )
        if len(self.regimes) > len({regime.ledger for regime in self.regimes}):
            found.append("the scheme was amended: each person is re-randomised under the scheme that allocated them")
        return found
