import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from support.analysis.planted_interviews import THEMES, planted

from analysis.estimators.core.validation import AnalysisError
from analysis.themes.induction import draft, induce
from study_app.domain.themes.codebook import codebook_text, read_codebook
from study_app.domain.themes.keywords import code_by_keywords


def test_planted_themes_are_found_and_their_number_with_them():
    answers, labels = planted(90, themes=3, seed=2)
    found = induce([*answers, "no", ""], seed=1, most=4)
    assert len(found.themes) == 3
    assert adjusted_rand_score(labels, found.labels[:90]) >= 0.8
    assert list(found.labels[90:]) == [-1, -1]
    assert max(found.stability, key=found.stability.get) == 3


def test_the_same_answers_and_seed_give_the_same_draft_and_it_is_a_codebook_to_edit():
    answers, labels = planted(60, themes=2, seed=3)
    first, again = (induce(answers, seed=1, themes=2) for _ in range(2))
    assert np.array_equal(first.labels, again.labels)
    book, comments = draft("exit", [("en", first)])
    assert read_codebook(codebook_text(book, comments)) == book
    assert book.induced
    assert "60" not in comments["theme_1"]
    assert "answers in 'en'" in comments["theme_1"]
    # The proposed keywords alone group the answers much as the themes were planted.
    coded = [[found.code for found in code_by_keywords(book, "any", answer)] for answer in answers]
    one = [place for place, codes in enumerate(coded) if len(codes) == 1]
    assert len(one) > 40
    assert adjusted_rand_score([labels[place] for place in one], [coded[place][0] for place in one]) > 0.8


def test_themes_of_several_languages_have_codes_of_their_own():
    answers, _ = planted(40, themes=2, seed=4)
    part = induce(answers, themes=2)
    book, _ = draft("exit", [("en", part), ("de", part)])
    assert book.labels == ("en_theme_1", "en_theme_2", "de_theme_1", "de_theme_2")


@pytest.mark.parametrize("answers", [[], ["too few words here"] * 5, ["yes"] * 100])
def test_too_few_answers_are_refused_with_what_to_do(answers):
    with pytest.raises(AnalysisError, match="write the codebook by hand"):
        induce(answers)


@pytest.mark.slow
@pytest.mark.parametrize(("themes", "words"), [(3, 6), (5, 6), (6, 4)])
def test_500_interviews_with_planted_themes(themes, words):
    assert themes <= len(THEMES)
    answers, labels = planted(500, themes, seed=themes, theme_words=words)
    found = induce(answers, seed=1)
    assert adjusted_rand_score(labels, found.labels) >= 0.8
    assert len(found.themes) == themes
