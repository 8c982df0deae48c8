from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.analysis.transcript_maker import asked, seen, transcript, write

from analysis.data.load import load
from analysis.interaction.patterns import assign
from analysis.published_study import import_transcripts
from study_app.domain.errors import ProblemsFound
from study_app.domain.interaction.expressions import Condition
from study_app.domain.interaction.features import PATTERN_FEATURES
from study_app.domain.interaction.patterns import PUBLISHED, rule_set

CODE = {"G": "code_generation", "E": "question", "D": "debugging", "C": "capability_question", "A": "thanks"}


def assigned(tmp_path, order, *after, rules=PUBLISHED):
    """The pattern of one person who asked in this order (`G GE D`)."""
    queries = [asked(f"00:0{place}:00", [CODE[each] for each in kinds]) for place, kinds in enumerate(order.split(), 1)]
    events = [seen("00:00:01", "task_start"), *queries, *(seen("00:30:00", kind) for kind in after)]
    import_transcripts(write(tmp_path / "in", transcript(1, events=events)), tmp_path / "out")
    return assign(load(tmp_path / "out").tables, rules)[0]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("order", "after", "pattern"),
    [
        ("G G", ["paste"], "AI Delegation"),
        ("C G A", ["paste"], "AI Delegation"),
        ("G E D", [], "Iterative AI Debugging"),
        ("GE D", [], "Iterative AI Debugging"),
        ("E GE", [], "Hybrid Code-Explanation"),
        ("E E", ["code_copying"], "Conceptual Inquiry"),
        ("E D", [], "Conceptual Inquiry"),
        ("E E", ["paste"], "Progressive AI Reliance"),
        ("G E", [], "Generation-Then-Comprehension"),
        ("E G", [], "Progressive AI Reliance"),
        ("E G E", [], "Progressive AI Reliance"),
        ("C A", ["paste"], "none"),
    ],
)
def test_the_first_rule_that_holds_names_the_pattern(tmp_path, order, after, pattern):
    assert assigned(tmp_path, order, *after).pattern == pattern


def test_an_assignment_says_which_rule_fired_and_why_the_earlier_did_not(tmp_path):
    found = assigned(tmp_path, "G E")
    assert (found.rule, found.because) == (
        "comprehension",
        "explanation_after_generation = 1, explanation_before_generation = 0, generation = 1",
    )
    assert [each.split(" ")[0] for each in found.passed_over] == ["delegation", "iterative", "hybrid", "conceptual"]


def test_a_study_brings_its_own_patterns(tmp_path):
    rules = rule_set(
        {
            "version": "mine-1",
            "patterns": [
                {"pattern": "Reader", "when": "explanation / queries >= 0.5 and not pastes > 0", "why": "asks to read"},
                {"pattern": "Rest", "when": "queries > 0"},
            ],
        },
        "study.toml",
    )
    assert assigned(tmp_path, "E G", rules=rules).pattern == "Reader"
    assert rules.patterns == ("Reader", "Rest")


def test_every_wrong_pattern_of_a_study_file_is_named():
    raw = {
        "patterns": [
            {"pattern": "A", "when": "mood > 3"},
            {"pattern": "B", "when": "__import__('os')"},
            {"pattern": "", "when": "queries > 0", "colour": "red"},
            "nonsense",
        ]
    }
    with pytest.raises(ProblemsFound) as caught:
        rule_set(raw, "study.toml")
    keys = [problem.key for problem in caught.value.problems]
    assert keys == [
        "styles.patterns.0.when",
        "styles.patterns.1.when",
        "styles.patterns.2.colour",
        "styles.patterns.2.pattern",
        "styles.patterns.3",
        "styles.version",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a >",
        "a = 1",
        "f(a)",
        "a.b > 1",
        "a[0] > 1",
        "'x' == a",
        "lambda: 1",
        "True",
        "a if b else c",
        "a ** 2 > 1",
        "(" * 500,
    ],
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ValueError, match="condition|allowed|number"):
        Condition(text)


def test_a_comparison_with_a_missing_feature_is_false():
    assert not Condition("a > 0")({"a": None})
    assert not Condition("a / b >= 0")({"a": 1, "b": 0})
    assert Condition("not a > 0")({"a": None})


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9))
def test_conditions_mean_what_python_means(a, b, c):
    text = "a + b * 2 > c and not (a == b or -c <= b) or a < b < c"
    assert Condition(text)({"a": a, "b": b, "c": c}) == bool(a + b * 2 > c and not (a == b or -c <= b) or a < b < c)


def test_the_documentation_holds_every_rule_and_feature():
    text = (Path(__file__).parents[3] / "docs/explanation/styles.md").read_text(encoding="utf-8")
    words = " ".join(text.split())
    assert all(f"| {rule.pattern} | `{rule.when.text}` |" in text for rule in PUBLISHED.rules)
    assert all(name in words for name in PATTERN_FEATURES)


@pytest.mark.parametrize(
    ("patterns", "key"),
    [
        (3, "styles.patterns"),
        ("Reader", "styles.patterns"),
        ({"pattern": "Reader", "when": "queries > 1"}, "styles.patterns"),
        ([{"pattern": "Reader", "when": "queries > 1", "id": 5}], "styles.patterns.0.id"),
        ([{"pattern": "Reader", "when": "queries > 1", "why": 5}], "styles.patterns.0.why"),
    ],
)
def test_patterns_of_another_type_are_one_clear_line(patterns, key):
    with pytest.raises(ProblemsFound) as caught:
        rule_set({"version": "mine-1", "patterns": patterns}, "study.toml")
    assert [problem.key for problem in caught.value.problems] == [key]
