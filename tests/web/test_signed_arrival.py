"""Prolific's signed addresses: what the token says wins, and every token that does not hold gets its own sentence."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from support.server import ROOT, StudyServer
from support.trials.people import participants

from study_app.content.study_file import validate_study
from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.secrets.signed_arrival import KEYS, READING_SECONDS, SignedArrival, signed_arrival

SITE = "https://study.example.org"
OURS, FOREIGN = (rsa.generate_private_key(65537, 2048) for _ in range(2))
IDS = {"PROLIFIC_PID": "a1" * 12, "STUDY_ID": "b2" * 12, "SESSION_ID": "c3" * 12}
OTHERS = {"PROLIFIC_PID": "f" * 24, "SESSION_ID": "e" * 24}


def key_set(name: str = "k1") -> str:
    listed = jwt.algorithms.RSAAlgorithm.to_jwk(OURS.public_key(), as_dict=True)
    return json.dumps({"keys": [listed | {"kid": name, "alg": "RS256", "use": "sig"}]})


def token(key=OURS, *, algorithm="RS256", kid="k1", **claims) -> str:
    now = int(time.time())  # noqa: TID251  (tokens end by the real clock)
    said = {"aud": SITE, "exp": now + 600, "prolific": {"workspace_id": "w", **IDS}} | claims
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key, algorithm, {"kid": kid} if kid else None)


def ago(seconds: int) -> int:
    return int(time.time()) - seconds  # noqa: TID251


@pytest.fixture(scope="module")
def arrival():
    return SignedArrival(SITE, key_set())


@pytest.mark.parametrize("audience", [SITE, "study.example.org", [SITE, "other"], f"{SITE}/"])
def test_ids_of_a_good_token_win_over_what_the_address_says(arrival, audience):
    fields = OTHERS | {"prolific_token": token(aud=audience), "label": "x"}
    assert arrival.vouched(fields) == IDS | {"prolific_token": fields["prolific_token"], "label": "x"}


HMAC_WITH_OUR_PUBLIC_KEY = "x" * 40
BAD = {
    "signed with another key": (lambda: token(FOREIGN), "is not right"),
    "a key that is not known": (lambda: token(kid="k2"), "is not right"),
    "no name of a key": (lambda: token(kid=""), "is not right"),
    "another site": (lambda: token(aud="https://other.example"), "another study's site"),
    "no site": (lambda: token(aud=None), "for how long or whom"),
    "no end": (lambda: token(exp=None), "for how long or whom"),
    "ended": (lambda: token(exp=ago(60)), "no longer valid"),
    "alg none": (lambda: token("", algorithm="none"), "not signed as Prolific signs"),
    "a shared secret": (lambda: token(HMAC_WITH_OUR_PUBLIC_KEY, algorithm="HS256"), "not signed as Prolific signs"),
    "a part replaced": (lambda: replaced(token(), token(prolific=OTHERS)), "is not right"),
    "cut": (lambda: token()[:-20], "is not right"),
    "no token": (lambda: "a.b.c", "is not right"),
    "bytes": (lambda: "\ud800.\x00.\u00e9", "is not right"),
    "too long": (lambda: "a" * 7000, "is not right"),
    "no person named": (lambda: token(prolific={"workspace_id": "w"}), "does not name who comes"),
    "numbers for ids": (lambda: token(prolific={"PROLIFIC_PID": 5, "SESSION_ID": None}), "does not name who comes"),
    "a list for ids": (lambda: token(prolific=[1]), "does not name who comes"),
}


def replaced(mine: str, theirs: str) -> str:
    """One token's contents under another's signature."""
    head, _, signature = mine.split(".")
    return ".".join((head, theirs.split(".")[1], signature))


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_does_not_hold_is_refused_in_a_sentence(arrival, name):
    make, sentence = BAD[name]
    with pytest.raises(NotAllowed) as refused:
        arrival.vouched({"prolific_token": make()} | IDS)
    assert sentence in str(refused.value)
    assert "Prolific" in str(refused.value)


def test_ids_without_a_token_are_refused_and_an_address_without_ids_goes_on(arrival):
    with pytest.raises(NotAllowed, match="lacks Prolific's signature"):
        arrival.vouched(IDS)
    assert arrival.vouched({"link": "x"}) == {"link": "x"}


def test_the_welcome_page_may_be_read_for_a_while_and_who_takes_part_may_come_back(arrival):
    read = {"prolific_token": token(exp=ago(READING_SECONDS // 2))}
    assert arrival.vouched(read, pressed=True)["PROLIFIC_PID"] == IDS["PROLIFIC_PID"]
    old = {"prolific_token": token(exp=ago(10 * 86_400))}
    assert arrival.vouched(old, known_as=IDS["PROLIFIC_PID"])["PROLIFIC_PID"] == IDS["PROLIFIC_PID"]
    for known_as in (None, OTHERS["PROLIFIC_PID"]):
        with pytest.raises(NotAllowed, match="no longer valid"):
            arrival.vouched(old, pressed=True, known_as=known_as)


def test_keys_come_from_a_file_the_environment_or_the_secrets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert signed_arrival("", {}) is None
    for text in ("", "nowhere.json", '{"keys": []}', "{broken"):
        with pytest.raises(ProblemsFound):
            signed_arrival(SITE, {KEYS: text})
    (tmp_path / "keys.json").write_text(key_set())
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text('prolific_keys = "keys.json"\n')
    for environment in ({KEYS: "keys.json"}, {KEYS: key_set()}, {}):
        found = signed_arrival(SITE, environment)
        assert found.vouched({"prolific_token": token()})["SESSION_ID"] == IDS["SESSION_ID"]


def test_keys_of_an_address_are_fetched_once_and_a_stranger_makes_nobody_ask_again():
    asked = []

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(key_set().encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Keys) as served:
        Thread(target=served.serve_forever, daemon=True).start()
        arrival = SignedArrival(SITE, f"http://127.0.0.1:{served.server_port}/jwks.json")
        assert arrival.vouched({"prolific_token": token()})["PROLIFIC_PID"] == IDS["PROLIFIC_PID"]
        for _ in range(5):
            with pytest.raises(NotAllowed):
                arrival.vouched({"prolific_token": token(kid="invented")})
        served.shutdown()
    assert asked == ["/jwks.json"]


def test_only_a_study_whose_people_come_from_prolific_has_signed_addresses():
    raw = {"recruitment": {"entry": "links", "signed_for": SITE}}
    with pytest.raises(ProblemsFound, match="only Prolific signs addresses"):
        validate_study(raw, "study.toml")


@pytest.mark.slow  # by default: the app without a socket, above
def test_on_a_real_server_a_signed_address_lets_in_and_an_open_one_does_not(tmp_path):
    text = (ROOT / "study.toml").read_text()
    assert 'entry = "open"' in text
    text = text.replace('entry = "open"', f'entry = "prolific"\nsigned_for = "{SITE}"')
    for shared in ("tasks", "quizzes", "assistants"):
        text = text.replace(f'"{shared}/', f'"{ROOT}/{shared}/')
    (tmp_path / "study.toml").write_text(text)
    server = StudyServer(tmp_path, tmp_path / "study.toml", STUDY_PROLIFIC_KEYS=key_set()).start()
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for bad in (IDS, {"prolific_token": token(FOREIGN)}, {"prolific_token": "\u00e9"}):
                assert client.get("/enter", params=bad).status_code == 409
                assert client.post("/enter", data=bad).status_code == 409
            assert participants(server) == 0
            page = client.get("/enter", params={"prolific_token": token()})
            assert f'name="prolific_token" value="{token()[:20]}' in page.text
            assert client.post("/enter", data=OTHERS | {"prolific_token": token()}).status_code == 303
            client.cookies.clear()
            assert client.post("/enter", data={"prolific_token": token()}).status_code == 303
        assert participants(server) == 1
    finally:
        server.stop()
