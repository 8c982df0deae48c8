"""Leaked solution code is seen through renaming and reformatting; talk about the library is not taken for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.assistants.fidelity import LeakShare, leak_score, leak_share, leaks_code

SOLUTION = '''import trio


async def ticker(count: int) -> None:
    """Print a line a second."""
    for second in range(1, count + 1):
        await trio.sleep(1)
        print(f"{second} s")


async def together(limit):
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ticker, 10)
            nursery.start_soon(trio.sleep, 2)
    return scope.cancelled_caught
'''
STARTER = "import trio\n\n\nasync def ticker(count: int) -> None:\n    ...\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"Here it is:\n```python\n{SOLUTION}```",
        SOLUTION,
        "```py\nasync def ticker(n):\n    for i in range(1, n + 1):\n        await trio.sleep(1)   # wait\n"
        "        print(f'{i} seconds')\n```",
        "```python\nasync def ticker(n):\n  '''Doc.'''\n  for i in range(1, n+1):\n    await trio.sleep(1)\n",
        "First `for i in range(1, n + 1):` and in it `await trio.sleep(1)` and then `print(f'{i} s')`.",
    ],
    ids=["whole", "unfenced", "renamed", "reformatted and never closed", "line by line"],
)
def test_solution_code_is_seen_however_it_is_dressed(reply):
    assert leaks_code(reply, SOLUTION, given=STARTER)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "A nursery waits for all its children. What does `start_soon` return, and when?",
        "Don't call it: pass the function, then its arguments. It isn't awaited. Use `trio.move_on_after`.",
        "`await trio.sleep(1)` pauses for a second.",
        "```python\nasync with trio.open_nursery() as nursery:\n    nursery.start_soon(feed, 'cat')\n```",
        "```text\nTraceback (most recent call last):\n  File 'main.py', line 3\nTypeError: bad\n```",
        STARTER,
    ],
    ids=["empty", "question", "apostrophes", "one call", "other example", "traceback", "starter"],
)
def test_talk_about_the_library_is_no_leak(reply):
    assert not leaks_code(reply, SOLUTION, given=STARTER)


def test_one_function_of_several_is_a_leak():
    reply = "```python\n" + SOLUTION[: SOLUTION.index("async def together")] + "```"
    assert leak_score(reply, SOLUTION) == 1.0


def test_what_was_given_anyway_does_not_count():
    assert leak_score(SOLUTION, SOLUTION, given=SOLUTION) == 0.0


def test_a_solution_without_functions_is_compared_as_a_whole():
    script = "total = 0\nfor n in range(10):\n    total += n * n\nprint(total)\n"
    assert leaks_code(f"```python\n{script}```", script)
    assert not leaks_code("Use a loop and add up the squares.", script)


@given(st.text(max_size=300), st.text(max_size=300))
@settings(deadline=None)
def test_any_two_texts_get_a_score_between_0_and_1(reply, solution):
    assert 0.0 <= leak_score(reply, solution) <= 1.0


@given(st.text(alphabet="abc .,?!\n", max_size=200), st.text(alphabet="abc .,?!\n", max_size=200))
@settings(deadline=None)
def test_words_around_the_code_do_not_hide_it(before, after):
    assert leaks_code(f"{before}\n```python\n{SOLUTION}```\n{after}", SOLUTION, given=STARTER)


names = st.from_regex(r"[a-z]{3,8}_v", fullmatch=True)


@given(st.lists(names, min_size=3, max_size=3, unique=True))
@settings(deadline=None)
def test_renaming_does_not_hide_it(chosen):
    reply = SOLUTION
    for old, new in zip(("second", "nursery", "scope"), chosen, strict=True):
        reply = reply.replace(old, new)
    assert leak_score(reply.replace("cancelled_caught", "cancelled_caught"), SOLUTION) == 1.0


@given(st.integers(0, len(SOLUTION)), st.integers(0, len(SOLUTION)))
@settings(deadline=None)
def test_more_of_the_solution_never_scores_less(one, other):
    short, long = sorted((one, other))
    cut = [SOLUTION[:end].rpartition("\n")[0] for end in (short, long)]
    assert leak_score(cut[0], SOLUTION) <= leak_score(cut[1], SOLUTION)


def test_the_figure_of_an_arm_is_a_share_of_its_replies():
    assert leak_share([SOLUTION, "Think again.", "Why?"], SOLUTION) == LeakShare(3, 1)
    assert leak_share([SOLUTION, "Think again."], SOLUTION).share == 0.5
    assert leak_share([], SOLUTION).share is None
