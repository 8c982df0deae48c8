import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.quiz.keys import Accept
from study_app.domain.quiz.short_text import MAX_ANSWER_CHARS, normalise, number, same_output, tokens

SECONDS = Accept(number=7, tolerance=0.05, units=("s", "sec", "seconds"))
ORDER = Accept(sequence=("blue", "green", "red"))


@pytest.mark.parametrize(
    "answer", ["7", " 7.0 ", "7,0", "7 s", "7s", "about 7 seconds", "~7", "Seven", "`7`", "7.", "+7", "7.02", "\uff17"]
)
def test_a_number_is_found_however_it_is_written(answer):
    assert SECONDS.matches(answer)


@pytest.mark.parametrize("answer", ["", "8", "-7", "7 or 8", "7 minutes", "17", "7 7", "not 7", "7.2", "\u2212" + "7"])
def test_another_number_or_two_numbers_do_not_match(answer):
    assert not SECONDS.matches(answer)


@pytest.mark.parametrize(
    "answer",
    ["blue green red", "Blue, Green, Red", "blue\ngreen\r\nred\n", "blue -> green -> red", "['blue', 'green', 'red']"]
    + [
        "blue; green; red.",
        "\u201cblue\u201d, \u2018green\u2019, red",
        "blue/green|red",
        "blue \u2192 green \u2192 red",
    ],
)
def test_a_sequence_is_found_however_it_is_separated(answer):
    assert ORDER.matches(answer)


@pytest.mark.parametrize("answer", ["blue red green", "blue green", "blue green red black", "bluegreenred"])
def test_another_order_or_another_length_does_not_match(answer):
    assert not ORDER.matches(answer)


def test_an_unordered_sequence_counts_its_tokens():
    accept = Accept(sequence=("a", "a", "b"), unordered=True)
    assert accept.matches("b a a")
    assert not accept.matches("a b b")


def test_case_counts_only_where_the_key_says_so():
    assert Accept(text="None").matches("none")
    assert not Accept(text="None", case_sensitive=True).matches("none")


def test_a_pattern_must_match_the_whole_answer():
    accept = Accept(regex=r"value ?error", example="ValueError")
    assert accept.matches(" ValueError. ")
    assert not accept.matches("ValueError or TypeError")


def test_a_huge_answer_matches_nothing():
    assert not Accept(regex="a+", example="a").matches("a" * (MAX_ANSWER_CHARS + 1))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("``7``", "7"),
        ("'''a b'''", "a b"),
        ("``", ""),
        ("```", "`"),
        ("``x`", "`x"),
        ("`x'", "`x'"),
        ("`` x ``", "x"),
        ("`" * 8 + "x" + "`" * 8, "x"),
        ("`" * 9 + "x" + "`" * 9, "`x`"),
    ],
)
def test_the_same_marks_at_both_ends_are_taken_off_up_to_eight_of_them(text, left):
    assert normalise(text) == left


def test_outputs_agree_whatever_their_trailing_white_space():
    assert same_output("1\n2\n", "1  \r\n2")
    assert not same_output("1\n2", "2\n1")
    assert same_output("1\n2", "2\n1", unordered=True)
    assert not same_output("1\n1", "1", unordered=True)


@given(st.text())
def test_normalising_twice_changes_nothing_more_for_words(text):
    once = normalise(text.replace("`", "").replace("'", "").replace('"', "").replace(".", ""))
    assert normalise(once) == once or "'" in once or "." in once or '"' in once or "`" in once


@given(st.text(max_size=200))
def test_any_text_can_be_matched_without_an_error(text):
    number(text, ("s",))
    tokens(text)
    assert SECONDS.matches(text) in (True, False)
    assert ORDER.matches(text) in (True, False)


@given(st.integers(-9999, 9999), st.sampled_from(["{}", " {} s", "about {}", "{}.0", "{}."]))
def test_a_written_integer_is_read_back(value, style):
    assert number(style.format(value), ("s",)) == value
