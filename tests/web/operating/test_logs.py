"""The server's log holds nothing that a participant entered or is known by, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.errors import InfrastructureError, NotAllowed
from study_app.web.operating.logs import StudyFormatter, entry

PLANTED = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=6, max_size=30).map(
    lambda text: f"Planted{text}@example.org"
)


def record(message: str, *values: object, error: BaseException | None = None, name: str = "study_app.x", **extra: str):
    info = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord(name, logging.ERROR, "/home/anna/study_app/x.py", 3, message, values or None, info)
    made.__dict__.update(extra)
    return made


def raised(kind: type[BaseException], text: str, cause: BaseException | None = None) -> BaseException:
    try:
        raise kind(text) from cause
    except BaseException as error:
        return error


@given(PLANTED, st.sampled_from([ValueError, KeyError, RuntimeError, NotAllowed, InfrastructureError]), st.booleans())
def test_no_message_argument_or_exception_brings_a_text_into_the_log(planted, kind, as_json):
    cause = raised(ValueError, planted)
    records = [
        record("a sentence of %s", planted),
        record("it failed: %s", raised(kind, planted)),
        record("it failed", error=raised(kind, planted, cause)),
        record("it failed", error=raised(kind, planted), participant=planted),
        record("%(name)s", {"name": planted}),
        record(f"put together of {planted}", name="asyncio"),
        record("%s of a library", planted, name="httpx"),
        record("it failed", error=raised(kind, planted), name="uvicorn.error"),
    ]
    for each in records:
        assert planted not in StudyFormatter(as_json=as_json).format(each)


def test_an_entry_says_what_happened_and_where():
    error = raised(InfrastructureError, "x", sqlite3.OperationalError("database or disk is full"))
    found = json.loads(StudyFormatter(as_json=True).format(record("it took %d times", 3, error=error, run="run-1")))
    assert found["message"] == "it took 3 times"
    assert found["run"] == "run-1"
    assert found["error"] == "InfrastructureError"
    assert found["reason"] == "database or disk is full"
    assert any("test_logs.py" in frame and frame.endswith("raised") for frame in found["stack"])
    assert found["level"] == "error"


def test_a_number_too_few_or_too_many_breaks_no_entry():
    assert entry(record("%d and %d", 1))["message"] == "%d and %d"


@pytest.mark.parametrize("as_json", [True, False])
def test_one_entry_is_one_line_of_json(as_json):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(StudyFormatter(as_json=as_json))
    handler.emit(record("two\nlines", error=raised(ValueError, "a\nb")))
    if as_json:
        assert len(stream.getvalue().splitlines()) == 1
        assert json.loads(stream.getvalue())["error"] == "ValueError"


def test_debug_lines_of_a_library_that_sets_its_own_level_are_not_written():
    """In a separate process, since how a process logs is set once."""
    program = (
        "import logging; from study_app.web.operating.logs import begin_logging; begin_logging('json');"
        "library = logging.getLogger('bm25s'); library.setLevel(logging.DEBUG);"
        "library.debug('indexing'); library.warning('slow')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [json.loads(line)["level"] for line in done.stderr.splitlines()] == ["warning"]
