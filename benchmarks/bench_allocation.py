"""Speed of allocation, verification and re-randomisation, beside smallerize and the allocator run one by one.

Usage: python benchmarks/bench_allocation.py
"""

import json
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import smallerize

from study_app.domain.allocation import Allocator, Scheme, draws
from study_app.domain.allocation.arms import Arm
from study_app.domain.ledger import LedgerReplay, Version, append, genesis, verify_ledger
from study_app.rerandomisation import replicate

ARMS = (Arm(id="ai"), Arm(id="hints"), Arm(id="no_ai"))
NAMES = "abcde"
SCHEME = Scheme(method="minimisation", factors=list(NAMES))
START = datetime(2026, 1, 5, tzinfo=UTC)


def people(number):
    rng = np.random.default_rng(1)
    return [dict(zip(NAMES, map(str, row), strict=True)) for row in rng.integers(0, 4, size=(number, 5))]


def seconds(action):
    began = time.perf_counter()
    value = action()
    return time.perf_counter() - began, value


def allocate(profiles):
    allocator = Allocator(SCHEME, ARMS)
    return [allocator.allocate(profile, draws(b"bench", index)) for index, profile in enumerate(profiles, start=1)]


def peer(profiles):
    factors = [smallerize.Factor(name, list("0123")) for name in NAMES]
    minimizer = smallerize.Minimizer(
        factors=factors,
        arms=[smallerize.Arm(arm.id) for arm in ARMS],
        d_imbalance_method="range",
        probability_method="biased_coin",
        preferred_p=0.8,
    )
    for profile in profiles:
        minimizer.assign_participant(profile)


def ledger(profiles, version):
    replay, previous, rows = LedgerReplay([version]), genesis("real"), []
    for place, profile in enumerate(profiles, start=1):
        row = append(
            previous,
            replay.decide(version.study_hash, profile),
            participant_id=f"p{place}",
            profile=profile,
            ledger="real",
            method=SCHEME.method,
            study_hash=version.study_hash,
            allocated_at=START + timedelta(seconds=place),
            salt=f"{place:032x}",
        )
        previous = row.row_hash
        rows.append(row)
    return rows


def one_by_one(scheme, profiles, replicates):
    for number in range(replicates):
        allocator = Allocator(scheme, ARMS)
        for index, profile in enumerate(profiles, start=1):
            allocator.allocate(profile, draws(number.to_bytes(4, "big"), index))


def main():
    profiles, version = people(10_000), Version("v1", SCHEME, ARMS, b"bench")
    few = profiles[:52]
    three = Scheme(method="minimisation", factors=list("abc"))
    blocks = Scheme(method="stratified_blocks", strata=["a"])
    allocation, _ = seconds(lambda: allocate(profiles))
    other, _ = seconds(lambda: peer(profiles[:1000]))
    writing, rows = seconds(lambda: ledger(profiles, version))
    verifying, breaches = seconds(lambda: verify_ledger(rows, [version], genesis_hash=genesis("real")))
    again, _ = seconds(lambda: replicate(three, few, 9999, np.random.default_rng(1), arms=ARMS))
    plain, _ = seconds(lambda: one_by_one(three, few, 50))
    in_blocks, _ = seconds(lambda: replicate(blocks, few, 1999, np.random.default_rng(1), arms=ARMS))
    figures = {
        "minimisation_10000_five_factors_seconds": allocation,
        "smallerize_10000_seconds": 10 * other,
        "smallerize_per_ours": 10 * other / allocation,
        "ledger_10000_write_seconds": writing,
        "ledger_10000_verify_seconds": verifying,
        "breaches": len(breaches),
        "rerandomise_minimisation_n52_9999_seconds": again,
        "one_by_one_per_vectorised": plain / 50 * 9999 / again,
        "rerandomise_blocks_n52_1999_seconds": in_blocks,
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
