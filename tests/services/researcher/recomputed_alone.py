"""Recompute a ledger from docs/explanation/allocation.md and the standard library: nothing of study-app is used.

Written from the page alone, it stands for anyone who wants to check a published dataset without trusting this project.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import math
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

NAME = "study-allocation/1"
HEADER = (
    "allocation_index ledger method stratum arm probabilities draw study_hash allocated_at previous_hash levels "
    "imbalance returned algorithm payload_hash"
).split()
JSON = ("probabilities", "levels", "imbalance", "returned", "profile")

DEFAULTS: dict[str, Any] = {"method": "permuted_blocks", "base_method": "permuted_blocks", "block_sizes": []}
DEFAULTS |= {"strata": [], "factors": [], "metric": "range", "probability": None, "ties": "random", "alpha": 1.0}
DEFAULTS |= {"beta": 1.0, "bound": 3, "cluster": "", "orders": "all", "replacement": "none"}


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def uniform(seed: bytes, index: int, position: int) -> float:
    digest = hmac.new(seed, f"{NAME}:{index}:{position}".encode(), hashlib.sha256).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


class Scheme:
    """One version's [allocation] and arms."""

    def __init__(self, study: dict[str, Any]) -> None:
        self.table = study["allocation"]
        self.method = self.table["method"]
        self.unit = self.table["base_method"] if self.method in ("cluster", "sequence") else self.method
        ids = [arm["id"] for arm in study["arms"]]
        weights = [arm["weight"] for arm in study["arms"]]
        if self.method == "sequence":
            self.options = [">".join(order) for order in self._orders(ids)]
            weights = [1] * len(self.options)
        else:
            self.options = ids
        self.weights = [weight // math.gcd(*weights) for weight in weights]
        given = self.table.get("probability")
        self.preferred = given if given is not None else (2 / 3 if self.unit == "biased_coin" else 0.8)
        self.counts: dict[Any, list[int]] = {}
        self.waiting: dict[Any, list[int]] = {}
        self.placed: dict[int, tuple[dict[str, str], int]] = {}

    def _orders(self, ids: list[str]) -> list[tuple[str, ...]]:
        kind, n = self.table["orders"], len(ids)
        if isinstance(kind, list):
            return [tuple(order) for order in kind]
        if kind == "all":
            return list(permutations(ids))
        first = list(range(n))
        if kind == "williams":  # 0, 1, n-1, 2, n-2, ...
            first = [0] + [(step + 1) // 2 if step % 2 else n - step // 2 for step in range(1, n)]
        rows = [[(place + shift) % n for place in first] for shift in range(n)]
        if kind == "williams" and n % 2:
            rows += [row[::-1] for row in rows]
        return [tuple(ids[place] for place in row) for row in rows]

    def key(self, levels: dict[str, str]) -> tuple[str, ...]:
        return tuple(levels[factor["variable"]] for factor in self.table["strata"])

    def at(self, key: Any) -> list[int]:
        return self.counts.setdefault(key, [0] * len(self.options))

    def coin(self, best: list[int]) -> list[float]:
        """Each of the best preferred by its weight; the preferred arm's share as Han and others have it."""
        if self.table["ties"] == "first":
            best = best[:1]
        total, least = sum(self.weights), min(self.weights)
        found = [0.0] * len(self.weights)
        for arm in best:
            rest = (1 - self.preferred) / (total - least) * (total - self.weights[arm])
            for other, weight in enumerate(self.weights):
                share = 1 - rest if other == arm else rest * weight / (total - self.weights[arm])
                found[other] += share * self.weights[arm] / sum(self.weights[each] for each in best)
        return found

    def probabilities(self, levels: dict[str, str], size_draw: float) -> tuple[list[float], list[float]]:
        key = self.key(levels)
        if self.unit in ("permuted_blocks", "stratified_blocks"):
            left = self.at(key)
            if not any(left):
                total = sum(self.weights)
                sizes = self.table["block_sizes"] or [2 * total, 3 * total]
                repeats = sizes[math.floor(size_draw * len(sizes))] // total
                back = self.waiting.pop(key, [0] * len(left))
                left[:] = [repeats * weight + more for weight, more in zip(self.weights, back, strict=True)]
            return [count / sum(left) for count in left], []
        if self.unit == "minimisation":
            scores = self._scores(levels)
            return self.coin([arm for arm, score in enumerate(scores) if score - min(scores) <= 1e-9]), scores
        counts = self.at(key)
        lag = [Fraction(count, weight) for count, weight in zip(counts, self.weights, strict=True)]
        lowest = [arm for arm, value in enumerate(lag) if value == min(lag)]
        if self.unit == "biased_coin":
            return self.coin(lowest), []
        if self.unit == "urn":
            a, b, n = self.table["alpha"], self.table["beta"], sum(counts)
            masses = [a * w + b * (n * w - count) for w, count in zip(self.weights, counts, strict=True)]
            masses = masses if any(mass > 0 for mass in masses) else list(self.weights)
        elif self.unit == "big_stick":
            masses = [weight if self._within(lag, arm) else 0 for arm, weight in enumerate(self.weights)]
            if not any(masses):
                masses = [weight if arm in lowest else 0 for arm, weight in enumerate(self.weights)]
        else:
            masses = list(self.weights)
        return [mass / sum(masses) for mass in masses], []

    def _within(self, lag: list[Fraction], arm: int) -> bool:
        after = [value + (Fraction(1, self.weights[arm]) if other == arm else 0) for other, value in enumerate(lag)]
        return max(after) - min(after) <= self.table["bound"]

    def _scores(self, levels: dict[str, str]) -> list[float]:
        scores = []
        for arm in range(len(self.weights)):
            score = 0.0
            for factor in self.table["factors"]:
                counts = self.at((factor["variable"], levels[factor["variable"]]))
                per = [(counts[k] + (k == arm)) / w for k, w in enumerate(self.weights)]
                mean = sum(per) / len(per)
                variance = sum((each - mean) ** 2 for each in per) / max(len(per) - 1, 1)
                spread = {"range": max(per) - min(per), "sd": math.sqrt(variance), "variance": variance}
                score += factor["weight"] * spread[self.table["metric"]]
            scores.append(score)
        return scores

    def note(self, levels: dict[str, str], arm: int, number: int) -> None:
        if self.unit == "minimisation":
            for factor in self.table["factors"]:
                self.at((factor["variable"], levels[factor["variable"]]))[arm] += number
        elif self.unit in ("permuted_blocks", "stratified_blocks"):
            pool = self.at(self.key(levels))
            if number < 0 and not any(pool):
                pool = self.waiting.setdefault(self.key(levels), [0] * len(self.options))
            pool[arm] -= number
        else:
            self.at(self.key(levels))[arm] += number


def level(factor: dict[str, Any], value: Any) -> str:
    cuts = factor.get("cuts") or []
    if value is None or value == "":
        return "missing"
    if not cuts:
        if isinstance(value, bool):
            return str(value).lower()
        return format(value, ".15g") if isinstance(value, float) else str(value)
    reached = [cut for cut in cuts if float(value) >= cut]
    beyond = [cut for cut in cuts if float(value) < cut]
    if not reached:
        return f"<{beyond[0]:g}"
    return f"{reached[-1]:g}-{beyond[0]:g}" if beyond else f">={reached[-1]:g}"


def rows_of(dataset: Path, ledger: str) -> list[dict[str, Any]]:
    path = next((dataset / "data").glob("*_description-allocations_data.csv"))
    with path.open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["ledger"] == ledger]
    for row in rows:
        row |= {name: json.loads(row[name]) if row[name] else None for name in JSON}
        row |= {"allocation_index": int(row["allocation_index"]), "draw": float(row["draw"])}
        for name in ("probabilities", "imbalance"):
            row[name] = [float(entry) for entry in row[name]]
    return rows


def recompute(dataset: Path, ledger: str = "real") -> int:
    """Assert that every row is what seed and study give; returns how many there are."""
    manifest = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
    texts = {each["study_hash"]: each["file"] for each in manifest["versions"]}
    studies = {name: json.loads((dataset / file).read_text(encoding="utf-8")) for name, file in texts.items()}
    regimes: dict[str, Scheme] = {}
    clusters: dict[str, int] = {}
    promise = manifest["commitment"] if ledger == "real" else ""
    previous = sha(f"study-ledger/1:{ledger}:{promise}".encode())
    rows = rows_of(dataset, ledger)
    for place, row in enumerate(rows, start=1):
        study = studies[row["study_hash"]]
        public = sha(f"{NAME}:{ledger}:{row['study_hash']}".encode())
        seed = bytes.fromhex(manifest["revealed_seed"] if ledger == "real" else public)
        fresh = Scheme(study)
        regime = regimes.setdefault(repr((fresh.table, fresh.options, fresh.weights)), fresh)
        for index in row["returned"]:
            if index in regime.placed:
                regime.note(*regime.placed.pop(index), -1)
        levels = row["levels"]
        cluster = levels.get(fresh.table.get("cluster") or "", "missing")
        if cluster in clusters:
            arm = clusters[cluster]
            probabilities, scores = [float(other == arm) for other in range(len(regime.options))], []
        else:
            probabilities, scores = regime.probabilities(levels, uniform(seed, place, 0))
            sums = [sum(probabilities[: end + 1]) for end in range(len(probabilities))]
            arm = next(k for k, reached in enumerate(sums) if row["draw"] < reached and probabilities[k] > 0)
            regime.note(levels, arm, 1)
            regime.placed[place] = (levels, arm)
            if cluster != "missing":
                clusters[cluster] = arm
        assert (row["allocation_index"], row["draw"]) == (place, uniform(seed, place, 1))
        assert row["arm"] == regime.options[arm]
        assert all(math.isclose(a, b, abs_tol=1e-12) for a, b in zip(row["probabilities"], probabilities, strict=True))
        assert all(math.isclose(a, b, abs_tol=1e-12) for a, b in zip(row["imbalance"], scores, strict=True))
        _check_row(row, fresh, previous)
        previous = row["row_hash"]
    return len(rows)


def _check_row(row: dict[str, Any], scheme: Scheme, previous: str) -> None:
    factors = [*scheme.table["strata"], *scheme.table["factors"]]
    if row["salt"]:
        payload = canonical({"participant_id": row["participant_id"], "profile": row["profile"]})
        assert row["payload_hash"] == sha(row["salt"].encode() + b":" + payload)
        for factor in factors:
            assert row["levels"][factor["variable"]] == level(factor, row["profile"][factor["variable"]])
    named = scheme.table["strata"] or scheme.table["factors"]
    levels = "; ".join(f"{factor['variable']}={row['levels'][factor['variable']]}" for factor in named)
    assert row["stratum"] == (levels or "all")
    assert row["previous_hash"] == previous
    assert row["row_hash"] == sha(canonical({name: row[name] for name in HEADER}))


def commitment(dataset: Path) -> str:
    """What must have been published before the first participant."""
    manifest = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
    locked = next(each for each in manifest["versions"] if each.get("locked_at"))
    study = json.loads((dataset / locked["file"]).read_text(encoding="utf-8"))
    scheme = Scheme(study)
    arms = [{"id": name, "weight": weight} for name, weight in zip(scheme.options, scheme.weights, strict=True)]
    stated = _filled(scheme.table, DEFAULTS)
    for name in {"strata", "factors"} & set(stated):
        stated[name] = [_filled(factor, {"weight": 1.0, "cuts": []}) for factor in stated[name]]
    content = {"algorithm": NAME, "arms": arms, "scheme": stated, "seed": manifest["revealed_seed"]}
    return sha(canonical(content))


def _filled(table: dict[str, Any], silent: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in silent or value != silent[name]}
