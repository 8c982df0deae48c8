"""Trials whose program errs differently in two arms, and how often intervals cover the true difference of zero."""

import numpy as np

from analysis.themes.corrected import CodedGroup, corrected_difference

FALSE_POSITIVES = {"ai": 0.20, "no_ai": 0.05}
MISSED = 0.10
PREVALENCE = 0.40


def coded_arms(rng, n, gold_share, prevalence=PREVALENCE):
    """Arm -> its people, with a simple random gold sample over both arms and no true difference."""
    arm = np.repeat(list(FALSE_POSITIVES), n // 2)
    human = rng.random(n) < prevalence
    wrong = np.vectorize(FALSE_POSITIVES.get)(arm)
    machine = np.where(human, rng.random(n) >= MISSED, rng.random(n) < wrong).astype(float)
    gold = np.zeros(n, bool)
    gold[rng.permutation(n)[: round(gold_share * n)]] = True
    shown = np.where(gold, human.astype(float), np.nan)
    share = np.full(n, gold_share)
    return {
        each: CodedGroup.of(machine[arm == each], shown[arm == each], share[arm == each]) for each in FALSE_POSITIVES
    }


def coverage(n, gold_share, replications, seed):
    """Return shares of 95% intervals that cover zero, and the corrected standard error over that of people only."""
    rng = np.random.default_rng(seed)
    naive, corrected, ratio = [], [], []
    for _ in range(replications):
        groups = coded_arms(rng, n, gold_share)
        ai, no_ai = groups["ai"], groups["no_ai"]
        error = np.sqrt(sum(g.machine.var(ddof=1) / len(g) for g in groups.values()))
        naive.append(abs(ai.machine.mean() - no_ai.machine.mean()) <= 1.959964 * error)
        found = corrected_difference(ai, no_ai)
        corrected.append(found.ci_low <= 0 <= found.ci_high)
        if found.std_error:
            people = [corrected_difference(*(CodedGroup.of(g.human[g.gold], g.human[g.gold]) for g in (ai, no_ai)))]
            ratio += [found.std_error / each.std_error for each in people if each.std_error]
    return {"naive": np.mean(naive), "corrected": np.mean(corrected), "standard_error": np.mean(ratio)}
