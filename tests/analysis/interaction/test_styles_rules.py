from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.analysis.transcript_maker import SHARED

from analysis.interaction.coders.agreement import kappa
from analysis.interaction.coders.coding import code_queries
from analysis.published_study import import_transcripts
from study_app.domain.interaction.codebook import LABELS, join, split
from study_app.domain.interaction.lexicon import RULES
from study_app.domain.interaction.message import SessionMessage
from study_app.domain.interaction.rules import code_message, code_session

INITIALS = {label[0].upper(): label for label in LABELS}
FILES = ("coder_sentences.txt", "coder_paraphrases.txt", "coder_chat.txt")
SENTENCES = [
    line.replace("\\n", "\n").split("\t", 1)
    for name in FILES
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]

SESSIONS = [
    [line.replace("\\n", "\n").split("\t", 1) for line in session.splitlines()]
    for session in (Path(__file__).parent / "coder_sessions.txt").read_text(encoding="utf-8").strip().split("\n\n")[1:]
]


def labels_of(*messages):
    return code_session(messages)[-1].labels


@pytest.mark.parametrize("label", ["explanation", "generation", "debugging"])
def test_messages_of_many_forms_are_coded_as_the_code_book_says(label):
    meant = [label in [INITIALS[initial] for initial in initials if initial != "-"] for initials, _ in SENTENCES]
    given_labels = [label in labels_of(message) for _, message in SENTENCES]
    assert kappa(given_labels, meant) >= 0.9


@pytest.mark.parametrize("label", LABELS)
def test_whole_sessions_are_coded_as_the_code_book_says(label):
    meant = [label[0].upper() in initials for session in SESSIONS for initials, _ in session]
    coded = [coding for session in SESSIONS for coding in code_session([message for _, message in session])]
    assert kappa([label in each.labels for each in coded], meant) >= 0.9


def test_bare_praise_is_appreciation_and_no_go_ahead():
    assert labels_of("write the timer", "perfect") == ("appreciation",)
    assert labels_of("write the timer", "yes!") == ("generation",)


def test_an_error_named_alone_quoted_or_repeated_is_debugging():
    assert labels_of("NotImplementedError") == ("debugging",)
    assert labels_of('getting a "Cancelled" error after a while') == ("debugging",)
    assert labels_of("same error still") == ("debugging",)


def test_every_coding_names_the_rules_and_words_behind_it():
    coding = code_message(SessionMessage("Please write the timer. Why does it need a nursery?"))
    assert coding.labels == ("explanation", "generation")
    assert {(each.rule, each.label) for each in coding.fired} >= {("imperative", "generation"), ("how", "explanation")}
    assert all(each.words for each in coding.fired)


def test_a_request_in_the_form_of_a_question_is_no_question():
    assert labels_of("could you please implement the helper?") == ("generation",)


def test_the_question_why_something_fails_is_debugging_alone():
    assert labels_of("I get an error here: why?") == ("debugging",)


def test_handling_errors_as_a_task_is_not_debugging():
    assert "debugging" not in labels_of("write a helper that stores 'error' when the call raises a ValueError")


def test_a_short_continuation_means_what_was_asked_before():
    assert labels_of("write the timer", "and delayed_hello") == ("generation",)
    assert labels_of("what is a nursery", "and delayed_hello") == ("explanation",)


def test_pasted_instructions_after_a_question_do_not_make_it_a_request():
    assert labels_of("what does this mean:\nImplement the helper\nReturns the dictionary") == ("explanation",)


def test_no_code_wanted_is_heard():
    assert "generation" not in labels_of("explain it to me without writing the code")


@given(st.text(max_size=300))
def test_any_text_gets_labels_of_the_code_book_in_its_order(text):
    labels = code_message(SessionMessage(text)).labels
    assert labels == split(join(labels))


def test_a_very_long_message_is_coded_in_reasonable_steps():
    assert labels_of("implement " + "the helper and " * 20_000)


def test_rules_yield_only_to_rules_that_stand_before_them():
    seen = set()
    for rule in RULES:
        assert set(rule.yields_to) <= seen, rule.id
        seen.add(rule.id)
    assert {rule.label for rule in RULES} == {*LABELS, ""}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published transcripts are not at hand")
def test_the_rules_agree_with_the_published_human_codes(tmp_path):
    import_transcripts(SHARED, tmp_path / "dataset")
    found = code_queries(tmp_path / "dataset", "rules")
    assert found["agreement"]["generation"]["kappa"] >= 0.71
    assert found["agreement"]["explanation"]["kappa"] >= 0.65
    assert found["queries"] == sum(entry["n"] for entry in found["agreement"].values()) / len(LABELS)


def test_a_rule_without_its_expressions_never_fires():
    rule = next(rule for rule in RULES if rule.id == "thanks")
    assert rule.pattern.search("thanks")
    assert not rule.without(rule.expressions).pattern.search("thanks")
    assert code_session(["thank you"], [rule.without(rule.expressions)])[0].labels == ()


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("my ticker never returns, why doesn't it stop", "debugging"),
        ("why won't my loop end", "debugging"),
        ("what do we put in the dict when there is an error", "explanation"),
        ("could you reword the instructions", "explanation"),
        ("hello do you know asyncio", "capability"),
        ("which release of trio do you know", "capability"),
    ],
)
def test_forms_that_no_published_message_of_the_shared_half_has(message, meant):
    assert labels_of(message) == (meant,)


def test_mere_praise_after_code_is_no_request_for_more():
    assert labels_of("write the timer", "Perfect!") == ("appreciation",)
    assert labels_of("write the timer", "ok") == ("generation",)


@pytest.mark.parametrize("message", ["Hi", "2*2*19", "asdf", "my name is Robin", "...", "", " \n\n "])
def test_a_message_in_which_nothing_matches_has_no_label(message):
    coding = code_message(SessionMessage(message))
    assert (coding.labels, coding.fired) == ((), ())


def test_a_greeting_takes_no_delegation_away():
    without, with_greeting = (code_session([*start, "write the timer", "now do task 2"]) for start in ([], ["Hi"]))
    assert with_greeting[0].labels == ()
    assert [coding.labels for coding in with_greeting[1:]] == [coding.labels for coding in without]


@pytest.mark.parametrize("verb", ["write", "create", "implement", "make", "give me", "please generate"])
@pytest.mark.parametrize("check", ["check if", "verify that", "review whether", "confirm that", "validate whether"])
def test_a_program_that_checks_something_is_generation_and_no_question(verb, check):
    assert labels_of(f"{verb} a function to {check} a word is a palindrome") == ("generation",)


@pytest.mark.parametrize(
    "message",
    ["Test with known values failed", "IndexError: list index out of range", "expected 3 but got 4", "still wrong"],
)
def test_an_error_shown_in_words_is_debugging(message):
    assert labels_of(message) == ("debugging",)


@pytest.mark.parametrize(
    "pasted", ["raise ValueError('fails')", "# this is wrong and does not work", '"""An error."""']
)
def test_words_that_stand_only_in_pasted_code_do_not_count(pasted):
    assert labels_of(f"complete this\n\ndef f(x):\n    y = x\n    {pasted}\n    return y") == ("generation",)
