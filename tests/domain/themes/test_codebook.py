import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.errors import ProblemsFound
from study_app.domain.themes.codebook import Code, Codebook, codebook_text, read_codebook, split
from study_app.domain.themes.keywords import code_by_keywords
from study_app.domain.themes.marks import GoldDraw, gold_draw, interview_object, interview_of
from study_app.domain.themes.sampling import gold_sample, halves

FILE = """
id = "exit"

[[codes]]
id = "hurry"
title = "Time pressure"
definition = "Says that time was short."
keywords = ["in a hurr*", "deadline", "keine Zeit"]

[[codes]]
id = "trust"
title = "Trust"
definition = "Judges whether help can be relied on."
keywords = ["trust*", "prüf*"]
topics = ["help"]
"""
BOOK = read_codebook(FILE)
texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30).filter(lambda t: t.strip())
codes = st.builds(Code, id=st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), title=texts, definition=texts)


@settings(max_examples=25)
@given(st.lists(codes, min_size=1, max_size=4, unique_by=lambda code: code.id))
def test_a_codebook_written_as_a_file_is_read_back_as_the_same_codebook(found):
    book = Codebook(id="exit", codes=tuple(found))
    assert read_codebook(codebook_text(book, {found[0].id: "first line\nsecond line"})) == book


def test_another_word_in_a_codebook_makes_another_version():
    other = read_codebook(FILE.replace("time was short", "time was too short"))
    assert BOOK.version != other.version
    assert BOOK.version == read_codebook(FILE + "\n# a comment is not content\n").version


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "trust"', 'id = "hurry"', "twice"),
        ('id = "trust"', 'id = "Trust!"', "codes.1.id"),
        ('"trust*"', '"tr*ust"', "at the end"),
        ('"trust*"', '"**"', "letters"),
        ("title", "titel", "titel"),
        ("[[codes]]", "[[codes]", "TOML"),
    ],
)
def test_a_fault_of_a_codebook_is_named_by_its_key(old, new, said):
    with pytest.raises(ProblemsFound) as found:
        read_codebook(FILE.replace(old, new), "exit.toml")
    assert said in str(found.value)
    assert "exit.toml" in str(found.value)


@pytest.mark.parametrize(
    ("topic", "answer", "due"),
    [
        ("time", "I was in a HURRY, sorry", ["hurry"]),
        ("time", "Ich hatte keine  Zeit.", ["hurry"]),
        ("time", "the deadlines were far", []),
        ("help", "I trusted it; in a hurried way", ["hurry", "trust"]),
        ("help", "Ich pru\u0308fte alles nach", ["trust"]),
        ("time", "I trusted it", []),
        ("help", "", []),
    ],
)
def test_keywords_find_words_phrases_and_beginnings_in_the_topics_of_a_code(topic, answer, due):
    assert [found.code for found in code_by_keywords(BOOK, topic, answer)] == due


def test_codes_join_in_the_order_of_the_codebook_and_strange_ones_are_refused():
    assert BOOK.join({"trust", "hurry"}) == "hurry;trust"
    assert split(BOOK.join(["trust"])) == {"trust"}
    assert split("") == frozenset()
    with pytest.raises(ValueError, match="'haste' is not a code"):
        BOOK.join(["haste"])


@given(st.sets(st.text(min_size=1, max_size=5), max_size=60), st.text(max_size=4))
def test_halves_part_all_interviews_and_follow_from_the_seed(ids, seed):
    found = halves(ids, seed)
    assert found == halves(sorted(ids, reverse=True), seed)
    assert set(found) == ids
    assert sum(half == "induce" for half in found.values()) == len(ids) // 2


@given(st.sets(st.integers(), min_size=1, max_size=60), st.floats(0.01, 1), st.integers(0, 20))
def test_a_gold_sample_states_the_probability_with_which_it_was_drawn(ids, share, least):
    found = gold_sample(set(map(str, ids)), "s", share=share, least=least)
    drawn = sum(each.drawn for each in found.values())
    assert {each.probability for each in found.values()} == {drawn / len(ids)}
    assert drawn >= min(least, len(ids))
    assert drawn >= share * len(ids) - 1e-6
    assert all(gold_draw(each.value()) == each for each in found.values())


def test_each_interview_is_drawn_equally_often():
    ids = [str(number) for number in range(10)]
    counts = dict.fromkeys(ids, 0)
    for seed in range(2000):
        for each, draw in gold_sample(ids, str(seed), share=0.3).items():
            counts[each] += draw.drawn
    # 2,000 draws of 3 in 10: mean 600, standard deviation 20.5; five of them.
    assert all(abs(count - 600) < 103 for count in counts.values())


def test_objects_name_interview_and_topic():
    assert interview_of(interview_object("a1", "help")) == ("a1", "help")
    assert interview_of(interview_object("a1")) == ("a1", "")
    assert interview_of("turn:a1") is None
    assert gold_draw("drawn 2.0") is None
    assert gold_draw("maybe") is None
    assert GoldDraw(True, 0.25).value() == "drawn 0.25"
