"""Themes proposed from answers: words and parts of words, factored; as many themes as come out alike on resampling.

Nothing is downloaded and nothing asked of a model: TF-IDF of words and of character n-grams within words (which carry
inflected languages), non-negative matrix factorisation, and consensus over random subsamples (Brunet et al. 2004, PNAS
101:4164; Monti et al. 2003, Mach. Learn. 52:91). What it proposes is a draft that people edit and freeze.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.estimators.core.validation import AnalysisError, Floats, Ints
from study_app.domain.themes.codebook import Code, Codebook
from study_app.domain.themes.keywords import words_of

LEAST_ANSWERS = 20
"""Below, no theme is proposed."""
LEAST_WORDS = 3
"""Shorter answers tell no theme."""
RUNS = 8
"""Subsamples for each number of themes."""
SUBSAMPLE = 0.8
WITHIN = 0.02
"""The largest number of themes is taken whose stability is at most so far below the best."""
KEYWORDS = 8
PRECISE = 0.6
"""A word is proposed as keyword if at least this share of the answers that have it belong to the theme."""
LEAST_Z = 2.5
"""And if that is so many standard errors more than the theme's share of all answers."""


@dataclass(frozen=True)
class InducedTheme:
    """A group of answers, and the words that set it apart."""

    words: tuple[str, ...]
    answers: tuple[int, ...]
    """Places of its answers, the most typical first."""


@dataclass(frozen=True)
class Induction:
    """What was proposed."""

    themes: tuple[InducedTheme, ...]
    labels: Ints
    """Theme of each answer; -1 for one that is too short."""
    stability: dict[int, float]
    """Number of themes -> mean adjusted Rand index between subsamples; 1 is the same grouping each time."""


def induce(answers: Sequence[str], *, seed: int = 1, most: int = 10, themes: int | None = None) -> Induction:
    """Group answers into themes.

    Args:
        answers: of one language.
        seed: of subsamples and starting values.
        most: try 2 up to this number of themes.
        themes: take this number instead.

    Raises:
        AnalysisError: fewer than `LEAST_ANSWERS` answers with words.
    """
    usable = np.asarray([place for place, text in enumerate(answers) if len(words_of(text)) >= LEAST_WORDS])
    if len(usable) < LEAST_ANSWERS:
        what = f"{len(usable)} answers have {LEAST_WORDS} words or more"
        raise AnalysisError.of("answers", what, f"collect {LEAST_ANSWERS} at least, or write the codebook by hand")
    matrix = _weighted([answers[place] for place in usable])
    rng = np.random.default_rng(seed)
    counts = [themes] if themes is not None else range(2, min(most, len(usable) // 5) + 1)
    stability, consensus = {}, {}
    for count in counts:
        stability[count], consensus[count] = _consensus(matrix, count, rng)
    # Stability alone favours few themes, which hardly any subsample can break up: the largest that is nearly as stable.
    chosen = max(count for count, value in stability.items() if value >= max(stability.values()) - WITHIN)
    groups = _cut(consensus[chosen], chosen)
    labels = np.full(len(answers), -1, dtype=np.int64)
    labels[usable] = groups
    return Induction(_described(answers, labels, consensus[chosen], usable), labels, stability)


def _weighted(texts: Sequence[str]) -> Any:
    """TF-IDF of words and of parts of words, each half of the length of a row."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes seconds to import

    # Words of nearly every answer carry no theme, in any language: no list of stop words is needed.
    shared: dict[str, Any] = {"sublinear_tf": True, "min_df": 2, "max_df": 0.4}
    words = TfidfVectorizer(analyzer=words_of, **shared)
    parts = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), lowercase=True, **shared)
    try:
        return hstack([words.fit_transform(texts), 0.5 * parts.fit_transform(texts)]).tocsr()
    except ValueError as error:
        raise AnalysisError.of("answers", f"share no words ({error})", "write the codebook by hand") from error


def _consensus(matrix: Any, count: int, rng: np.random.Generator) -> tuple[float, Floats]:
    """Return the stability of a number of themes, and how often two answers fell into the same one."""
    from sklearn.metrics import adjusted_rand_score

    n = matrix.shape[0]
    together, drawn = np.zeros((n, n)), np.zeros((n, n))
    runs: list[tuple[Ints, Ints]] = []
    for _ in range(RUNS):
        sample = np.sort(rng.choice(n, max(round(SUBSAMPLE * n), count + 1), replace=False))
        groups = _grouped(matrix[sample], count, int(rng.integers(2**31)))
        runs.append((sample, groups))
        drawn[np.ix_(sample, sample)] += 1
        together[np.ix_(sample, sample)] += groups[:, None] == groups[None, :]
    scores = [
        adjusted_rand_score(one[np.isin(first, second)], other[np.isin(second, first)])
        for place, (first, one) in enumerate(runs)
        for second, other in runs[place + 1 :]
    ]
    return float(np.mean(scores)), np.divide(together, drawn, out=np.zeros_like(together), where=drawn > 0)


def _grouped(matrix: Any, count: int, seed: int) -> Ints:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(n_components=count, init="nndsvdar", random_state=seed, max_iter=300, tol=1e-3)
    with warnings.catch_warnings():
        # A factorisation that has not settled makes an unstable grouping, which is what is measured.
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = model.fit_transform(matrix)
    # Factors have no scale: a theme's weight is taken in units of its length.
    scaled = weights * np.linalg.norm(model.components_, axis=1)
    found: Ints = scaled.argmax(axis=1).astype(np.int64)
    return found


def _cut(consensus: Floats, count: int) -> Ints:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - consensus
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    groups = fcluster(tree, count, "maxclust")
    # The largest theme is the first, whatever the tree's own numbers.
    order = {group: place for place, (group, _) in enumerate(Counter(groups.tolist()).most_common())}
    return np.asarray([order[group] for group in groups.tolist()], dtype=np.int64)


def _described(
    answers: Sequence[str], labels: Ints, consensus: Floats, usable: NDArray[np.intp]
) -> tuple[InducedTheme, ...]:
    said = [frozenset(words_of(text)) for text in answers]
    anywhere = Counter(word for place in usable for word in said[place])
    themes = []
    for theme in range(int(labels.max()) + 1):
        inside = np.flatnonzero(labels[usable] == theme)
        typical = inside[np.argsort(-consensus[np.ix_(inside, inside)].mean(axis=1), kind="stable")]
        here = Counter(word for place in usable[inside] for word in said[place])
        base = len(inside) / len(usable)
        themes.append(InducedTheme(_keywords(here, anywhere, base), tuple(int(place) for place in usable[typical])))
    return tuple(themes)


def _keywords(here: Counter[str], anywhere: Counter[str], base: float) -> tuple[str, ...]:
    """Return the words that set a theme apart, the clearest first.

    Args:
        here: word -> answers of the theme with it.
        anywhere: word -> answers with it.
        base: the theme's share of all answers.
    """
    clear = {}
    for word, n in here.items():
        total = anywhere[word]
        z = (n - total * base) / max(total * base * (1 - base), 1e-9) ** 0.5
        if z >= LEAST_Z and n / total >= PRECISE and len(word) > 2:
            clear[word] = z
    return tuple(sorted(clear, key=lambda word: (-clear[word], word))[:KEYWORDS])


def draft(name: str, found: Sequence[tuple[str, Induction]]) -> tuple[Codebook, dict[str, str]]:
    """Return a codebook to edit, and a comment for each code.

    Args:
        name: id of the codebook.
        found: (language, what was proposed from its answers).
    """
    codes, comments = [], {}
    for language, induction in found:
        for number, theme in enumerate(induction.themes, start=1):
            prefix = f"{language.replace('-', '_').lower()}_" if len(found) > 1 else ""
            code = f"{prefix}theme_{number}"
            shown = ", ".join(theme.words) or "no word sets it apart"
            codes.append(Code(id=code, title=f"Theme {number}", definition=f"Edit: {shown}", keywords=theme.words))
            stability = max(induction.stability.values())
            comments[code] = f"{len(theme.answers)} answers in '{language}'; stability of all themes {stability:.2f}"
    return Codebook(id=name, induced=True, codes=tuple(codes)), comments
