"""What a hostile browser puts into its requests."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from study_app.domain.events import BROWSER_KINDS, SERVER_KINDS

TEXTS = (
    "", " ", "\n" * 3000, "x" + "\n" * 1500 + "x", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufeff", "\u202e\u2066",
    "\U0001f600" * 50, "a\u0300" * 200, "'; DROP TABLE events; --", "=1+1", "../../etc/passwd", "<script>1</script>",
    "{{%PROLIFIC_PID%}}", "%00", "%s%n", "A" * 70_000, "A" * 450_000, "null", "NaN", "1e999", "\r\nSet-Cookie: a=b",
    "why " * 900, "`" * 3000, "(" * 3000, "def f():\n" * 400, "\u2028\x85\x0c", "\x1b[2J",
    "None", "tasks", "trio_timer",
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2, 3, 7, 2**31 - 1, 2**31, 2**53, 2**63, 2**64, 10**30, -(10**30), 0.5, -0.0, 1e15, 1e16, 1e300, 5e-324,
    float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
NESTED_DEEP = "[" * 3000 + "]" * 3000
WORDS = (
    "seq", "kind", "page", "events", "payload", "stage", "step", "field", "value", "changes", "task", "text", "code",
    "message", "from", "to", "insert", "length", "shown", "act", "confirm", "mono_ms", "client_time_ms", "turn_id",
    "__proto__", "erased", "", "participant_id",
)  # fmt: skip
FIELDS = ("python_over_a_year", "libraries_used", "years_coding", "async_check_1", "no_such_question", "", "a\x00")
STAGES = ("consent", "eligibility", "device", "background", "warmup", "instructions", "tasks", "quiz", "exit", "end")
PROGRAMS = (
    'raise SyntaxError("boo", ("main.py", 10**30, 1, "x"))', "print('\\x00\\ud800' * 50)", "\x00", "\ufeffprint(1)",
    "# coding: utf-16\nprint(1)", "print('a\\n' * 100000)", "x" * 63_000, "(" * 5000, "\ud800",
    "import os; os._exit(3)", "import sys; sys.stdout.buffer.write(bytes(range(256)) * 40)", "x = 10**400; print(x)",
    "def f():\n" * 200, "import trio\n\nasync def main():\n    await trio.sleep(0.01)\n\ntrio.run(main)\n",
    "class E(Exception):\n    def __str__(self): raise self\nraise E",
    "e = ExceptionGroup('x', [ValueError('\\ud800')])\nraise e",
)  # fmt: skip
ROUTES = (
    "/api/open", "/api/events", "/api/answers", "/api/act", "/api/runs", "/api/runs/stop", "/api/submit", "/api/chat",
    "/api/chat/stop", "/api/decisions",
)  # fmt: skip
STREAMLITS = (
    "/_stcore/upload_file/session/file", "/_stcore/metrics", "/_stcore/agent/x", "/_stcore/host-config",
    "/_stcore/health",
    "/_stcore/stream", "/_stcore/script-health-check", "/media/x.png", "/component/x/index.html",
    "/static/../../secrets",
    "/static/%2e%2e/%2e%2e/etc/passwd", "/component/..%2f..%2fstudy.toml", "//etc/passwd", "/.streamlit/secrets.toml",
)  # fmt: skip


def anything(rng: Random, deepest: int = 3) -> Any:
    """Any value that JSON can hold, and some that it cannot."""
    kind = rng.randrange(9 if deepest else 5)
    if kind < 2:
        return rng.choice(TEXTS)
    if kind < 4:
        return rng.choice(NUMBERS)
    if kind == 4:
        return rng.choice((None, True, False, [], {}))
    if kind == 5:
        return [anything(rng, deepest - 1) for _ in range(rng.choice((1, 2, 3, 200 if deepest < 2 else 4)))]
    return {rng.choice(WORDS): anything(rng, deepest - 1) for _ in range(rng.randint(1, 6))}


def maybe(rng: Random, usual: Any, share: float = 0.3) -> Any:
    """The usual value, now and then any other."""
    return anything(rng, 2) if rng.random() < share else usual


def encoded(value: Any) -> bytes:
    """As JSON with all that JSON's readers may meet: NaN, halves of pairs, 1e999."""
    data = json.dumps(value).encode()
    return data.replace(b"Infinity", b"1e999")


def odd_body(rng: Random) -> bytes:
    """Bytes that are not a JSON object, or hardly one."""
    return rng.choice(
        (
            b"", b"null", b"[]", b"5", b'"x"', b"{", b"{}" * 2, b'{"page":1}{"page":2}', b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
            NESTED_DEEP.encode(), b'{"a":' * 20_000, b'{"seq":' + b"9" * 6000 + b"}",
    b'{"page":"p","page":"q","events":[]}',
            rng.randbytes(rng.randint(1, 4000)), b"x" * 1_000_001, json.dumps({"code": "y" * 999_000}).encode(),
            '{"page":"p","events":[]}'.encode("utf-16"), b'{"page": "\xed\xa0\x80", "events": []}',
        )
    )  # fmt: skip


def event(rng: Random, seq: int) -> dict[str, Any]:
    """One event of a page, more or less."""
    kind = rng.choice(sorted(BROWSER_KINDS)) if rng.random() < 0.9 else rng.choice([*SERVER_KINDS, "no_such_kind", ""])
    payload = {
        "task": rng.choice(("warmup", "trio_timer", "trio_users", "")),
        "text": rng.choice(TEXTS),
        "stage": rng.choice(STAGES),
        "step": rng.choice((0, 0, 1, 2, 10**9)),
        "field": rng.choice(FIELDS),
        "value": anything(rng, 2),
        "changes": [change(rng) for _ in range(rng.choice((0, 1, 1, 3, 50)))],
        "from": rng.choice(("reply", "outside", 5)),
        "erased": True,
    }
    kept = {name: maybe(rng, value, 0.05) for name, value in payload.items() if rng.random() < 0.7}
    made = {"seq": seq, "kind": kind, "client_time_ms": rng.choice((0, 1e12, 1.7e12)), "payload": kept}
    if rng.random() < 0.6:
        made["mono_ms"] = rng.choice((0, 5, 1e9, 1e14))
    return {name: maybe(rng, value, 0.02) for name, value in made.items()}


def change(rng: Random) -> Any:
    """One change of a text, more or less."""
    start = rng.choice((0, 0, 0, 1, 5, 10**6, -1))
    return maybe(rng, {"from": start, "to": start + rng.choice((0, 0, 1, -1)), "insert": rng.choice(TEXTS[:20])}, 0.05)
