"""The Claude coder against a local server that speaks the Messages protocol."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
import pytest
from support.analysis.transcript_maker import asked, seen, transcript, write

from analysis.interaction.coders.claude import ATTEMPTS, BATCH, code_with_claude, output_schema, system_prompt
from analysis.interaction.coders.coding import code_queries
from analysis.interaction.coders.queries import CodedQuery
from analysis.published_study import import_transcripts
from study_app.domain.errors import AssistantUnavailable, UserError
from study_app.domain.interaction.codebook import LABELS

ASKED = [CodedQuery(f"t{number}", "p1", f"message {number}") for number in (1, 2, 3)]


class Server(ThreadingHTTPServer):
    """Answers each request by the next of `replies`: text, bytes as they are, or (status, error type)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies, self.requests = [], []


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        self.server.requests.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        reply = self.server.replies.pop(0)
        if isinstance(reply, bytes):
            status, content = 200, reply
        else:
            status, body = (200, message(reply)) if isinstance(reply, str) else (reply[0], failure(reply[1]))
            content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def message(text):
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-served",
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def failure(kind):
    return {"type": "error", "error": {"type": kind, "message": "no"}}


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def client(server):
    return anthropic.Anthropic(api_key="key", base_url=f"http://127.0.0.1:{server.server_port}", max_retries=0)


def reply(**labels):
    return json.dumps({"codes": [{"id": each, "labels": given} for each, given in labels.items()]})


def wanted(request):
    return json.loads(request["messages"][0]["content"])["code_these_ids"]


GOOD = reply(m1=["generation", "explanation"], m2=[], m3=["appreciation"])


def test_every_query_is_coded_in_one_request_with_the_code_book_and_a_schema(server, client):
    server.replies = [GOOD]
    found = code_with_claude(ASKED, client)
    assert found.codes == {"t1": ("explanation", "generation"), "t2": (), "t3": ("appreciation",)}
    assert (found.uncoded, found.model) == ({}, "claude-served")
    [request] = server.requests
    assert request["system"] == system_prompt()
    assert all(label in request["system"] for label in LABELS)
    assert request["output_config"]["format"] == {"type": "json_schema", "schema": output_schema()}


@pytest.mark.parametrize(
    ("bad", "left"),
    [
        ("sorry, no", ["m1", "m2", "m3"]),
        ("", ["m1", "m2", "m3"]),
        ("[" * 100_000, ["m1", "m2", "m3"]),
        (b"<html>a proxy</html>", ["m1", "m2", "m3"]),
        (b'{"id": "msg_1", "type": "mess', ["m1", "m2", "m3"]),
        (b'{"type": "message", "content": null}', ["m1", "m2", "m3"]),
        (b"[]", ["m1", "m2", "m3"]),
        ('{"codes": 7}', ["m1", "m2", "m3"]),
        ('{"codes": [{"id": ["m1"], "labels": []}]}', ["m1", "m2", "m3"]),
        (reply(m1=["luck"], m2=[], m3=[]), ["m1"]),
        (reply(m1=[["debugging"]], m2=[], m3=[]), ["m1"]),
        (reply(m1="debugging", m2=[], m3=[]), ["m1"]),
        (reply(m1=[], m3=[]), ["m2"]),
        (reply(m1=[], m2=[], m3=[], m9=["debugging"]), []),
        ('{"codes": [{"id": "m1", "labels": []}, {"id": "m1", "labels": ["debugging"]}]}', ["m1", "m2", "m3"]),
    ],
)
def test_a_bad_reply_is_asked_for_again_and_only_for_what_is_open(server, client, bad, left):
    server.replies = [bad, reply(**{each: ["debugging"] for each in ("m1", "m2", "m3")})]
    found = code_with_claude(ASKED, client)
    assert [wanted(request) for request in server.requests] == [["m1", "m2", "m3"], *([left] if left else [])]
    assert {turn for turn, labels in found.codes.items() if labels} == {f"t{each[1]}" for each in left}
    assert found.uncoded == {}


def test_what_stays_bad_stays_uncoded_and_is_reported(server, client):
    server.replies = [reply(m1=["luck"], m2=["debugging"])] * ATTEMPTS
    found = code_with_claude(ASKED, client)
    assert found.codes == {"t2": ("debugging",)}
    assert found.uncoded == {
        "t1": 'unknown label in ["luck"] (3 attempts)',
        "t3": "not in the reply (3 attempts)",
    }
    assert len(server.requests) == ATTEMPTS


def test_the_reason_goes_back_with_the_next_request(server, client):
    server.replies = ["nonsense", GOOD]
    code_with_claude(ASKED, client)
    said = json.loads(server.requests[1]["messages"][0]["content"])["wrong_in_your_last_reply"]
    assert said == dict.fromkeys(("m1", "m2", "m3"), "the reply was not the JSON asked for")


def test_people_and_long_sessions_are_asked_about_apart(server, client):
    many = [CodedQuery(f"a{n}", "p1", "x") for n in range(BATCH + 1)] + [CodedQuery("b", "p2", "y")]
    server.replies = [reply(**{f"m{n + 1}": [] for n in range(BATCH)}), reply(m1=[]), reply(m1=["debugging"])]
    found = code_with_claude(many, client)
    assert len(found.codes) == BATCH + 2
    assert found.codes["b"] == ("debugging",)


def test_a_wrong_key_is_said_in_one_line(server, client):
    server.replies = [(401, "authentication_error")]
    with pytest.raises(UserError, match="ANTHROPIC_API_KEY: is not accepted"):
        code_with_claude(ASKED, client)


def test_a_failing_provider_is_nobodys_coding(server, client):
    server.replies = [(529, "overloaded_error")]
    with pytest.raises(AssistantUnavailable, match="could not code"):
        code_with_claude(ASKED, client)


def test_a_provider_that_fails_on_the_way_leaves_what_is_coded(server, client):
    server.replies = [GOOD, (529, "overloaded_error")]
    found = code_with_claude([*ASKED, CodedQuery("late", "p2", "x"), CodedQuery("later", "p3", "x")], client)
    assert set(found.codes) == {"t1", "t2", "t3"}
    assert found.uncoded == dict.fromkeys(("late", "later"), "Claude could not code the queries: OverloadedError")
    assert len(server.requests) == 2


def test_without_a_key_the_remedy_is_said(monkeypatch):
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="--coder rules"):
        code_with_claude(ASKED)


def test_a_dataset_is_coded_and_compared_with_its_people(server, client, tmp_path):
    events = [seen("00:00:01", "task_start"), asked("00:01:00", ["question"]), asked("00:02:00", ["thanks"], "ta")]
    import_transcripts(write(tmp_path / "in", transcript(1, events=events)), tmp_path / "out")
    server.replies = [reply(m1=["explanation"], m2=["luck"])] * ATTEMPTS
    found = code_queries(tmp_path / "out", "claude", client=client)
    assert [row["labels"] for row in found["codes"]] == [["explanation"]]
    assert list(found["uncoded"]) == ["p1-t02"]
    assert found["agreement"]["explanation"]["n"] == 1


def test_a_dataset_of_which_nothing_could_be_coded_is_reported_all_the_same(server, client, tmp_path):
    events = [seen("00:00:01", "task_start"), asked("00:01:00", ["question"])]
    import_transcripts(write(tmp_path / "in", transcript(1, events=events)), tmp_path / "out")
    server.replies = ["no"] * ATTEMPTS
    found = code_queries(tmp_path / "out", "claude", client=client)
    assert (found["codes"], list(found["uncoded"])) == ([], ["p1-t01"])
    row = found["agreement"]["explanation"]
    assert (row["kappa"], row["ci_low"], row["ci_high"], row["n"]) == (None, None, None, 0)


def test_an_unknown_coder_is_refused(tmp_path):
    with pytest.raises(UserError, match="--coder: 'dice' is unknown"):
        code_queries(tmp_path, "dice")
