"""Claude as the coder of interviews, over HTTP: batches, replies as they came, failures, and kills."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from support.providers.loopback_batches import LoopbackBatches, message, succeeded
from support.trials.commands import study
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.assistant.coders.interviews import MOST_CHARACTERS, ClaudeInterviewCoder
from study_app.domain.errors import AssistantUnavailable, UserError
from study_app.domain.themes.codebook import read_codebook
from study_app.domain.themes.marks import CLAUDE, REPLY
from study_app.domain.themes.transcripts import InterviewText, Passage
from study_app.services.researcher.themes.codebooks import Codebooks
from study_app.services.researcher.themes.programs import ProgramCoding

BOOK = read_codebook(CODEBOOK)
KIND = "preview"


@pytest.fixture
def trial(tmp_path):
    made = ThemesTrial(tmp_path)
    made.hold({"start": SAID["hurry"], "hard": SAID["trust"]})
    Codebooks(made.app.context).freeze("ann", BOOK, "agreed")
    made.clock.advance(minutes=1)
    yield made
    made.close()


def ratings(trial, rubric):
    with trial.app.context.registry.begin(write=False) as unit:
        return {each.object.split("#")[1]: each.value for each in unit.ratings()
                if each.rubric == rubric and each.rater == CLAUDE}  # fmt: skip


def by_words(params):
    """The coder that the tests play: it knows the words of the codebook."""
    said = json.loads(params["messages"][0]["content"])["answer"]
    listed = params["output_config"]["format"]["schema"]["properties"]["codes"]["items"]["enum"]
    found = [code for code, word in (("hurry", "hurry"), ("trust", "trust")) if word in said and code in listed]
    return succeeded(json.dumps({"codes": found}))


def coded(trial, provider, seconds=0.0):
    coder = ClaudeInterviewCoder(provider.environment)
    return ProgramCoding(trial.app.context).by_batch(coder, KIND, seconds=seconds, pause=lambda _: None)


def test_answers_go_out_in_a_batch_and_codes_come_back_with_each_reply_as_it_came(trial):
    with LoopbackBatches(by_words, looks=3) as provider:
        assert coded(trial, provider)["state"] == "running"
        done = coded(trial, provider)
        assert (done["state"], done["coded"], done["left"]) == ("done", 2, 0)
        assert coded(trial, provider)["state"] == "nothing to code"
        assert len(provider.batches) == 1
        (body,) = provider.bodies
    assert "Says that time was short" in body["requests"][0]["params"]["system"]
    assert "Marmalade" not in str(body)
    assert "plain" not in str(body)
    assert ratings(trial, BOOK.version) == {"start": "hurry", "hard": "trust"}
    kept = json.loads(ratings(trial, REPLY)["hard"])
    assert kept["message"]["usage"] == {"input_tokens": 30, "output_tokens": 9}
    assert (kept["batch"], kept["prompt_version"], kept["type"]) == ("msgbatch_1", "themes-1", "succeeded")


BAD = {
    "refused": succeeded('{"codes": ["hurry"]}', "refusal"),
    "cut off": succeeded('{"codes": ["hurry"]}', "max_tokens"),
    "not JSON": succeeded("Hurry, I think."),
    "another code": succeeded('{"codes": ["anger"]}'),
    "no list": succeeded('{"codes": "hurry"}'),
    "of lists": succeeded('{"codes": [["hurry"]]}'),
    "deep": succeeded("[" * 20_000),
    "no character": succeeded('{"codes": ["\ud800\0"]}'),
    "an error": {"type": "errored", "error": {"type": "error", "error": {"type": "api_error", "message": "no"}}},
    "expired": {"type": "expired"},
    "nothing": {},
    "a number": 7,
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", BAD)
def test_a_reply_that_is_no_judgement_is_kept_gives_no_code_and_is_asked_for_anew(trial, name):
    with LoopbackBatches(lambda _: BAD[name]) as provider:
        done = coded(trial, provider)
        assert (done["coded"], done["unreadable"], done["left"]) == (0, 2, 2)
        assert ratings(trial, BOOK.version) == {}
        assert set(ratings(trial, REPLY)) == {"start", "hard"}
        provider.result = by_words
        assert coded(trial, provider)["coded"] == 2
        assert len(provider.batches) == 2


@pytest.mark.parametrize(
    ("call", "status"),
    [(("POST", "send"), 500), (("POST", "send"), 429), (("GET", "look"), 529), (("GET", "results"), 500)],
)
def test_a_provider_that_fails_loses_nothing_and_no_answer_is_sent_twice(trial, call, status):
    with LoopbackBatches(by_words) as provider:
        provider.status = {call: status}
        with pytest.raises(AssistantUnavailable, match="what is there is kept"):
            coded(trial, provider)
        provider.status = {}
        taken = len(provider.batches)
        assert coded(trial, provider)["coded"] == 2
        assert len(provider.batches) == taken
    assert ratings(trial, BOOK.version) == {"start": "hurry", "hard": "trust"}


def test_a_client_tries_again_by_itself_where_the_provider_is_busy_for_a_moment(trial):
    with LoopbackBatches(by_words) as provider:

        def busy_once(method, what):
            provider.status = {(method, what): 529} if provider.calls.count((method, what)) == 1 else {}

        provider.before_answer = busy_once
        assert coded(trial, provider)["coded"] == 2


def test_a_key_that_is_not_accepted_and_none_at_all_are_said_so(trial):
    with LoopbackBatches(by_words) as provider:
        provider.status = {("POST", "send"): 401}
        with pytest.raises(UserError, match="ANTHROPIC_API_KEY: is not accepted"):
            coded(trial, provider)
    with pytest.raises(UserError, match="ANTHROPIC_API_KEY: is not set; set it, or use --coder rules"):
        ClaudeInterviewCoder({})


@pytest.mark.parametrize("lines", ["<html>", "[]", "{}", '{"custom_id": 3'])
def test_results_that_are_not_results_are_named_and_the_batch_is_fetched_again(trial, lines):
    with LoopbackBatches(lambda _: lines) as provider:
        if lines in ("<html>", '{"custom_id": 3', "[]"):
            with pytest.raises(AssistantUnavailable, match="cannot be read"):
                coded(trial, provider)
        else:
            assert coded(trial, provider)["coded"] == 0
        provider.result = by_words
        assert coded(trial, provider)["coded"] == 2


def test_a_batch_that_the_provider_has_no_more_is_sent_anew(trial):
    with LoopbackBatches(by_words, looks=9) as provider:
        assert coded(trial, provider)["state"] == "running"
        provider.batches.clear()
        provider.looks = 1
        assert coded(trial, provider)["coded"] == 2


# -- kills -------------------------------------------------------------------------------------------------------------

POINTS = [("POST", "send"), ("GET", "look"), ("GET", "results")]


def run(trial, provider, *arguments):
    given = ["code", "interviews", *arguments, "--of", KIND, "--study", str(trial.study_file)]
    given += ["--database", trial.settings.database]
    environment = os.environ | provider.environment | {"STUDY_VAR": str(trial.folder / "var")}
    return subprocess.Popen(
        [sys.executable, "-m", "study_app.cli", *given],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_after_a_kill_the_batch_that_was_sent_is_fetched_and_none_is_sent_twice(trial, point):
    trial.close()
    with LoopbackBatches(by_words) as provider:
        reached, go = threading.Event(), threading.Event()

        def hold(method, what):
            if (method, what) == point and not go.is_set():
                reached.set()
                go.wait(60)

        provider.before_answer = hold
        command = run(trial, provider, "code", "--coder", "claude")
        assert reached.wait(60)
        command.send_signal(signal.SIGKILL)
        command.communicate()
        go.set()
        done = run(trial, provider, "code", "--coder", "claude", "--json")
        said, complaint = done.communicate(timeout=120)
        assert done.returncode == 0, complaint
        assert json.loads(said)["coded"] == 2
        assert len(provider.batches) == 1
    trial.open()
    assert ratings(trial, BOOK.version) == {"start": "hurry", "hard": "trust"}
    with trial.app.context.registry.begin(write=False) as unit:
        assert sum(each.rubric == REPLY for each in unit.ratings()) == 2


# -- a codebook by Claude ----------------------------------------------------------------------------------------------

PROPOSED = {"codes": [{"id": "haste", "title": "Haste", "definition": "Says time was short.", "keywords": ["clock"]}]}


def induced(tmp_path, single, expect=0):
    trial = ThemesTrial(tmp_path)
    for _ in range(4):
        trial.hold({"start": SAID["hurry"], "hard": SAID["trust"]})
    trial.close()
    with LoopbackBatches(single=single) as provider:
        out = tmp_path / "codebook.toml"
        given = ["--of", KIND, "--study", trial.study_file, "--database", trial.settings.database]
        induce = ["code", "interviews", "induce", "--coder", "claude", "--out", out, *given]
        complaint = study(*induce, cwd=tmp_path, expect=expect, **provider.environment).stderr
        sent = provider.bodies
    trial.open()
    with trial.app.context.registry.begin(write=False) as unit:
        kept = [each.detail for each in unit.audit_of(("propose codebook",))]
    trial.close()
    return complaint, out, sent, kept


ZEBRA = "zebra0crossing0seventeen"


@pytest.fixture(scope="module")
def proposed(tmp_path_factory):
    """A folder, and what came of a proposal there with a word that is nowhere else."""
    folder = tmp_path_factory.mktemp("proposed")
    definition = PROPOSED["codes"][0] | {"definition": ZEBRA}
    return folder, *induced(folder, message(json.dumps({"codes": [definition]})))


def test_claude_proposes_a_codebook_from_the_sealed_half_alone(proposed):
    tmp_path, _, out, (sent,), (kept,) = proposed
    book = read_codebook(out.read_text())
    assert (book.labels, book.induced) == (("haste",), True)
    # Two of four interviews, two topics each; neither ids nor arms.
    assert [sorted(each) for each in json.loads(sent["messages"][0]["content"])] == [["answer", "topic"]] * 4
    assert "Turquoise" not in str(sent)
    assert (kept["interviews"], kept["read"], kept["coder"], kept["read_as_codebook"]) == (2, 2, "claude", True)
    reply = (tmp_path / kept["reply"]).read_bytes()
    assert json.loads(reply)["usage"]["output_tokens"] == 9
    assert hashlib.sha256(reply).hexdigest() == kept["sha256"]
    assert (tmp_path / kept["reply"]).stat().st_mode & 0o077 == 0


def no_word_is_in_the_database(folder, kept):
    assert ZEBRA in (folder / kept["reply"]).read_text()
    files = list(folder.glob("study.db*"))
    assert files
    assert all(ZEBRA.encode() not in file.read_bytes() for file in files)


def test_no_word_of_claudes_proposal_is_in_the_database_where_an_erasure_would_not_reach_it(proposed):
    folder, _, _, _, (kept,) = proposed
    no_word_is_in_the_database(folder, kept)


@pytest.mark.slow
def test_no_word_of_a_proposal_that_is_no_codebook_is_in_the_database(tmp_path):
    definition = PROPOSED["codes"][0] | {"definition": ZEBRA, ZEBRA: 1}
    _, _, _, (kept,) = induced(tmp_path, message(json.dumps({"codes": [definition]})), 2)
    no_word_is_in_the_database(tmp_path, kept)


@pytest.mark.parametrize(
    ("single", "code", "said"),
    [
        (message("no themes"), 2, "Claude's proposal is not a codebook: the reply cannot be read"),
        pytest.param(message('{"codes": []}'), 2, "is not a codebook", marks=pytest.mark.slow),
        pytest.param(message('{"codes": {"a": 1}}'), 2, "is not a codebook", marks=pytest.mark.slow),
        pytest.param(message("", "refusal"), 2, "the reply ended by refusal", marks=pytest.mark.slow),
        pytest.param(message('{"codes": ["\\u0000"]}'), 2, "is not a codebook", marks=pytest.mark.slow),
        pytest.param("<html>", 1, "its answer cannot be read", marks=pytest.mark.slow),
        pytest.param(500, 1, "Claude could not propose a codebook", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_a_proposal_that_is_no_codebook_writes_none_and_is_kept(tmp_path, single, code, said):
    complaint, out, _, kept = induced(tmp_path, single, code)
    assert len(complaint.splitlines()) == 1
    assert said in complaint
    assert not out.exists()
    assert len(kept) == len(list(tmp_path.glob("codebook.reply-*.json"))) == (code == 2)
    assert all(each["reply"] in complaint for each in kept)


def test_of_too_many_answers_whole_interviews_are_sent_and_their_number_is_known():
    half = [InterviewText(f"i{n}", "en", (Passage("start", "How?", "word " * 9_000),)) for n in range(9)]
    with LoopbackBatches(single=message(json.dumps(PROPOSED))) as provider:
        found = ClaudeInterviewCoder(provider.environment).propose("themes", half)
        content = provider.bodies[0]["messages"][0]["content"]
    assert len(content) <= MOST_CHARACTERS + 100
    assert found.read == len(json.loads(content)) == 4
