import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.errors import SandboxUnavailable
from study_app.domain.quiz.items import ChoiceOption, Item
from study_app.domain.quiz.keys import Accept, ChoiceKey, CodeKey, Criterion, OutputCheck, TextKey, key_version
from study_app.domain.quiz.scoring import (
    correct_response,
    fill,
    quiz_total,
    rate,
    response_problem,
    score,
    wrong_response,
)

LETTERS = "abcdefgh"


def an_item(kind, points=2.0, options=0, item_type="conceptual", **more):
    shown = tuple(ChoiceOption(id=letter, text=f"Option {letter}") for letter in LETTERS[:options])
    return Item(id="q", type=item_type, kind=kind, concept="c", points=points, prompt="?", options=shown, **more)


MULTI = an_item("multiple_select", options=6)
MULTI_KEY = ChoiceKey(correct=("a", "c"))


@st.composite
def multiple_selections(draw):
    size = draw(st.integers(2, 8))
    right = draw(st.integers(1, size - 1))
    points = draw(st.sampled_from([1.0, 2.0, 3.0, 4.5]))
    penalty = draw(st.sampled_from([0.0, 0.25, 0.5, 2.0]))
    correct = tuple(draw(st.permutations(LETTERS[:size]))[:right])
    item = an_item("multiple_select", points, size)
    return item, ChoiceKey(correct=correct, wrong_pick_penalty=penalty), draw(st.sets(st.sampled_from(LETTERS[:size])))


@pytest.mark.parametrize(
    ("picks", "points"),
    [("ac", 2), ("a", 1), ("ab", 0.5), ("acb", 1.5), ("acbdef", 0), ("b", 0), ("abd", 0), ("", 0)],
)
def test_each_right_pick_earns_its_share_and_each_wrong_one_costs_half_a_point(picks, points):
    assert score(MULTI, MULTI_KEY, list(picks)).points == points


@given(multiple_selections())
def test_a_selection_earns_from_0_to_the_item_s_points(case):
    item, key, picks = case
    assert 0 <= score(item, key, sorted(picks)).points <= item.points


@given(multiple_selections(), st.randoms(use_true_random=False))
def test_the_order_of_picks_and_repetitions_do_not_matter(case, random):
    item, key, picks = case
    shuffled = sorted(picks) + sorted(picks)
    random.shuffle(shuffled)
    assert score(item, key, shuffled) == score(item, key, sorted(picks))


@given(multiple_selections())
def test_one_more_wrong_pick_never_raises_and_one_more_right_pick_never_lowers_the_score(case):
    item, key, picks = case
    before = score(item, key, sorted(picks)).points
    for option in item.options:
        after = score(item, key, sorted(picks | {option.id})).points
        assert after >= before if option.id in key.correct else after <= before


@given(multiple_selections())
def test_only_exactly_the_right_picks_are_correct_and_earn_everything(case):
    item, key, picks = case
    result = score(item, key, sorted(picks))
    assert result.correct == (picks == set(key.correct))
    if picks == set(key.correct):
        assert result.points == item.points


@pytest.mark.parametrize("kind", ["single_choice", "multiple_select", "short_text", "code"])
@pytest.mark.parametrize("nothing", [None, "", "  \n", []])
def test_an_unanswered_item_of_an_opened_quiz_scores_0_at_once(kind, nothing):
    keys = {
        "single_choice": ChoiceKey(correct=("a",)),
        "multiple_select": MULTI_KEY,
        "short_text": TextKey(rubric=(Criterion(id="r", text="right", points=2),)),
        "code": CodeKey(checks=(OutputCheck(name="n", program="{answer}", expected="1", points=2),)),
    }
    result = score(an_item(kind, options=3 if "e_" in kind else 0), keys[kind], nothing)
    assert (result.points, result.max_points, result.scored_by) == (0, 2, "key")


def test_a_single_choice_is_right_or_wrong():
    item, key = an_item("single_choice", 1, 4), ChoiceKey(correct=("b",))
    assert [score(item, key, pick).points for pick in "abcdz"] == [0, 1, 0, 0, 0]
    assert score(item, key, ["a", "b"]).points == 0


def test_an_attention_check_scores_no_points_but_tells_whether_it_was_passed():
    item = an_item("single_choice", 0, 3, "attention_check")
    key = ChoiceKey(correct=("c",))
    assert [(score(item, key, pick).points, score(item, key, pick).correct) for pick in ("c", "a", None)] == [
        (0, True),
        (0, False),
        (0, False),
    ]


def test_a_short_text_earns_the_best_of_what_it_matches_and_else_0_with_a_wish_for_review():
    item = an_item("short_text", 3)
    key = TextKey(
        accept=(Accept(text="almost", points=1), Accept(regex="al.*", example="all", points=2), Accept(text="it"))
    )
    assert [score(item, key, text).points for text in ("almost", "It.", "other")] == [2, 3, 0]
    assert [score(item, key, text).needs_review for text in ("almost", "It.", "other")] == [False, False, True]
    assert score(item, key, "other").scored_by == "key"


def test_code_earns_the_points_of_the_checks_it_passes():
    item = an_item("code", 3)
    checks = (
        OutputCheck(name="one", program="{answer}\nprint(1)", expected="1", points=2),
        OutputCheck(name="two", program="{answer}\nprint(2)", expected="2", points=1),
    )
    key = CodeKey(checks=checks, solution="pass")
    outputs = {"x = 1\nprint(1)": "1\n", "x = 1\nprint(2)": "3\n"}
    result = score(item, key, "x = 1", outputs.__getitem__)
    assert (result.points, result.correct) == (2, False)
    assert "failed: two" in result.detail


def test_code_that_cannot_be_run_is_pending_and_not_zero():
    item = an_item("code", 2)
    key = CodeKey(checks=(OutputCheck(name="n", program="{answer}", expected="1", points=2),), solution="print(1)")

    def broken(program):
        raise SandboxUnavailable("isolation is off")

    for run in (None, broken):
        result = score(item, key, "print(1)", run)
        assert (result.points, result.scored_by, result.correct) == (None, "pending", None)


def test_the_expected_output_is_never_part_of_the_program_that_runs():
    seen = []
    key = CodeKey(
        checks=(OutputCheck(name="n", program="print({answer})", expected="forty-two", points=2),), solution="x"
    )
    score(an_item("code", 2), key, "1", lambda program: seen.append(program) or "")
    assert seen == ["print(1)"]


def test_a_rubric_waits_for_a_person_and_takes_only_its_own_points():
    item = an_item("short_text", 2)
    key = TextKey(
        rubric=(Criterion(id="what", text="names it", points=1), Criterion(id="why", text="says why", points=1))
    )
    assert score(item, key, "because").scored_by == "pending"
    assert rate(item, key, {"what": 1, "why": 0.5}).points == 1.5
    assert rate(item, key, {"what": 1}).scored_by == "human"
    with pytest.raises(ValueError, match="is not a criterion"):
        rate(item, key, {"style": 1})
    with pytest.raises(ValueError, match="0 to 1 points"):
        rate(item, key, {"what": 2})
    with pytest.raises(ValueError, match="no rubric"):
        rate(MULTI, MULTI_KEY, {"what": 1})


def test_a_block_is_indented_as_far_as_its_mark_and_fences_are_taken_off():
    program = "with x:\n    {answer}\nprint({answer})"
    assert fill(program, "```python\n  a = 1\n  b\n```") == "with x:\n    a = 1\n    b\nprint(a = 1\nb)"
    assert fill("f({answer})", " {answer} ") == "f({answer})"
    assert fill("{answer}", "a\\1\r\nb") == "a\\1\nb"


@given(st.text())
def test_any_text_can_be_filled_in(answer):
    assert fill("before\n  {answer}\nafter", answer).endswith("\nafter")


@pytest.mark.parametrize(
    ("item", "good", "bad"),
    [
        (MULTI, [None, [], ["a", "f"]], ["a", ["z"], ["a", "a"], [1], 3, {"a": 1}]),
        (an_item("single_choice", options=2), [None, "a"], ["z", ["a"], 1, ""]),
        (an_item("short_text"), [None, "", "x" * 20_000], ["x" * 20_001, ["a"], 1]),
    ],
)
def test_a_malformed_response_is_told_from_an_answer(item, good, bad):
    assert [response_problem(item, response) for response in good] == [None] * len(good)
    assert all(response_problem(item, response) for response in bad)


def test_the_total_is_by_type_without_attention_checks_and_unknown_while_one_is_pending():
    reading = an_item("short_text", 3, item_type="code_reading")
    items = [
        reading,
        MULTI.model_copy(update={"id": "m"}),
        an_item("single_choice", 0, 2, "attention_check", family="x"),
    ]
    scores = {"m": score(MULTI, MULTI_KEY, ["a"])}
    total = quiz_total(items, {name: found.points for name, found in scores.items()})
    assert (total.points, total.max_points, total.by_type) == (1, 5, {"code_reading": 0, "conceptual": 1})
    pending = score(reading, TextKey(rubric=(Criterion(id="r", text="t", points=3),)), "text")
    total = quiz_total(items, {k: v.points for k, v in (scores | {"q": pending}).items()})
    assert (total.points, total.by_type) == (None, {"code_reading": None, "conceptual": 1})


def test_the_key_s_version_changes_with_what_changes_scores_and_with_nothing_else():
    version = key_version(MULTI, MULTI_KEY)
    assert key_version(MULTI, MULTI_KEY.model_copy(update={"why": "because", "run": "print()"})) == version
    assert key_version(MULTI, ChoiceKey(correct=("a", "d"))) != version
    assert key_version(MULTI, ChoiceKey(correct=("a", "c"), wrong_pick_penalty=0.25)) != version
    assert key_version(MULTI.model_copy(update={"points": 3.0}), MULTI_KEY) != version


def test_made_up_responses_of_simulated_people_score_all_or_nothing():
    assert score(MULTI, MULTI_KEY, correct_response(MULTI, MULTI_KEY)).points == 2
    assert score(MULTI, MULTI_KEY, wrong_response(MULTI, MULTI_KEY)).points == 0
