"""Languages of a study: files next to it, checks, the choice at the entry, and who has reviewed what."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trials.small_study import write_study

from study_app.assistant.translating import Translator
from study_app.bootstrap import open_library, start
from study_app.content.languages.language_checks import coder_warnings, language_problems, review_problems
from study_app.content.languages.language_files import as_toml
from study_app.content.texts import catalogue, read_texts, shipped, shipped_languages
from study_app.dataset.measures.interaction import Coding
from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.domain.localisation.study_texts import placeholders
from study_app.domain.records import Participant, Turn
from study_app.domain.sentences import REFUSALS
from study_app.domain.tasks.sentences import VERDICTS, translated_check
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings

GERMAN = """
reviewed_by = "{reviewer}"
[content.study]
title = "Zwei Klicks"
[content.consent]
pay = "Keine."
risks = "Keine."
[content.arms.plain]
instructions = "Los."
[content.arms.other]
instructions = "Weiter."
"""


DRAFT = GERMAN.format(reviewer="")


def two_languages(folder, german=DRAFT):
    path = write_study(folder)
    path.write_text('languages = ["en", "de"]\n' + path.read_text())
    (folder / "texts").mkdir(exist_ok=True)
    (folder / "texts" / "de.toml").write_text(german)
    return path


@pytest.mark.parametrize("language", shipped_languages())
def test_shipped_languages_are_complete_keep_placeholders_and_are_marked_as_not_reviewed(language):
    texts, source = catalogue(language).texts, catalogue("en").texts
    assert set(texts) == set(source)
    assert [key for key in source if placeholders(texts[key]) != placeholders(source[key])] == []
    assert shipped(language).reviewed_by == ""


def test_a_complete_language_has_no_problems_and_every_gap_in_one_is_named(tmp_path):
    path = two_languages(tmp_path)
    assert language_problems(open_library(path)) == []
    broken = (
        GERMAN.format(reviewer="")
        .replace('risks = "Keine."', 'risks = "{minutes}"')
        .replace("[content.arms.plain]\ninstructions", "[content.arms.gone]\ninstructions")
    )
    (tmp_path / "texts" / "de.toml").write_text(broken + '[welcome]\nstart = "{wrong}"\nnew = "x"\n')
    found = [str(problem) for problem in language_problems(open_library(path))]
    for wanted in (
        "texts/de.toml: content.arms.plain.instructions: is missing",
        "texts/de.toml: content.arms.gone.instructions: is not a text that participants meet",
        "texts/de.toml: content.consent.risks: has the placeholders {minutes}, not none",
        "texts/de.toml: welcome.start: has the placeholders {wrong}, not none",
        "texts/de.toml: welcome.new: is not a text that participants meet",
    ):
        assert any(line.startswith(wanted) for line in found), (wanted, found)


def test_a_language_needs_a_reviewer_before_launch_and_a_change_of_its_texts_changes_the_studys_hash(tmp_path):
    path = two_languages(tmp_path)
    assert [problem.key for problem in review_problems(open_library(path))] == ["reviewed_by"]
    settings = Settings(path, f"sqlite:///{tmp_path}/study.db", tmp_path / "var", environment={})
    before = start(settings).context.study_hash
    two_languages(tmp_path, GERMAN.format(reviewer="Eva Muster"))
    assert review_problems(open_library(path)) == []
    assert start(settings).context.study_hash != before


def test_translations_in_the_study_file_itself_and_wrong_codes_are_refused(tmp_path):
    path = write_study(tmp_path)
    text = path.read_text()
    path.write_text(f'languages = ["en", "Deutsch"]\n{text}\n[translations.de]\nx = "y"\n')
    with pytest.raises(ProblemsFound, match="write translations into texts/LANGUAGE.toml"):
        open_library(path)
    path.write_text(f'languages = ["en", "Deutsch"]\n{text}')
    with pytest.raises(ProblemsFound, match="'Deutsch' is not a language's code"):
        open_library(path)
    path.write_text(f'languages = ["de"]\n{text}')
    with pytest.raises(ProblemsFound, match="'en', in which the study is written, is missing"):
        open_library(path)


def test_the_language_chosen_at_the_entry_is_in_column_event_and_pages(tmp_path):
    app = start(Settings(two_languages(tmp_path), f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={}))
    german = app.enrol.enter(EntryRequest(), language="de").participant
    other = app.enrol.enter(EntryRequest(), language="klingon").participant
    assert (german.language, other.language) == ("de", "en")
    with app.context.registry.begin(write=False) as unit:
        [chosen] = unit.events_of(german.id, {"language_chosen"})
    assert chosen.payload == {"language": "de", "offered": ["en", "de"]}
    place = app.session.where(german.id)
    assert (place.study.title, place.study.consent.pay, place.study.language) == ("Zwei Klicks", "Keine.", "de")
    assert app.session.where(other.id).study.title == "Two clicks"
    place = app.session.consent(german.id, True)
    assert place.arm.instructions in ("Los.", "Weiter.")
    export(app.context, tmp_path / "out", include_preview=True)
    [file] = (tmp_path / "out" / "data").glob("*participants_data.csv")
    lines = file.read_text().splitlines()
    place_of = lines[0].split(",").index("language")
    rows = {line.split(",")[0]: line.split(",")[place_of] for line in lines[1:]}
    assert rows == {german.id: "de", other.id: "en"}


def test_a_refusal_is_said_in_the_language_of_whoever_is_refused(tmp_path):
    app = start(Settings(two_languages(tmp_path), f"sqlite:///{tmp_path}/s.db", tmp_path / "var", environment={}))
    with pytest.raises(NotAllowed) as refused:
        app.enrol.enter(EntryRequest(link="no such link"))
    said = REFUSALS.translated(str(refused.value), app.texts["de"].table("refusal"))
    assert said == "Diesen Link gibt es nicht; prüfen Sie, ob er vollständig ist, oder bitten Sie um einen neuen"


@pytest.mark.parametrize(
    ("said", "german"),
    [
        (REFUSALS("message_long", limit=f"{8000:,}"), "Ihre Nachricht ist länger als 8.000 Zeichen."),
        (
            REFUSALS("part_early", date="2026-12-03 14:05 UTC"),
            "am 3. Dezember 2026, 14:05 Uhr UTC",
        ),
        (VERDICTS("ran_time", limit="2.5"), "lief nach 2,5 Sekunden"),
    ],
)
def test_numbers_and_moments_in_a_sentence_are_written_as_its_language_writes_them(said, german):
    texts = catalogue("de")
    sentences = REFUSALS if REFUSALS.translated(said, texts.table("refusal")) else VERDICTS
    assert german in sentences.translated(said, texts.table(sentences.table), texts.figures.said)


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)


@pytest.mark.parametrize("sentences", [VERDICTS, REFUSALS])
@given(data=st.data())
def test_whatever_a_sentence_is_filled_with_is_read_back_from_it(sentences, data):
    key = data.draw(st.sampled_from(sorted(sentences.english)))
    names = placeholders(sentences.english[key])
    values = {name: data.draw(WORDS) for name in names}
    marked = {name: f"{name}:{text}" for name, text in sentences.english.items()}
    made = sentences(key, **values)
    assert sentences.translated(made, marked) == f"{key}:{made}"


def test_an_example_is_told_with_its_call_and_its_cause_as_they_are():
    german = catalogue("de").table("verdict")
    cause = VERDICTS("cause_in_line", error="ValueError", n=3, message="no (really)")
    wrong = VERDICTS("raised", expected=VERDICTS("no_exception"), seen="ValueError")
    check = {"name": "n", "passed": False, "message": f"f(1): {wrong} ({cause})", "call": "f(1)"}
    found = translated_check(check | {"expected": "no exception", "seen": "ValueError", "cause": cause}, german)
    assert found["cause"] == "ValueError in Zeile 3: no (really)"
    assert found["message"] == (
        "f(1): erwartet wurde keine Ausnahme, zu sehen war aber ValueError (ValueError in Zeile 3: no (really))"
    )
    assert (found["expected"], found["seen"]) == ("keine Ausnahme", "ValueError")
    own = {"name": "n", "passed": False, "message": "f(1): an author's own words", "call": "f(1)"}
    assert translated_check(own, german)["message"] == "f(1): an author's own words"


@given(st.dictionaries(st.sampled_from(["a.b", "a.c", "d.e f.g", "content.q.1"]), st.text(max_size=40)))
def test_a_written_language_file_reads_back_as_it_was(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("texts") / "de.toml"
    clean = {key: text.replace("\r", "").encode("utf-8", "ignore").decode() for key, text in texts.items()}
    path.write_text(as_toml("title", "Deutsch", "", clean), "utf-8", newline="")
    found = read_texts(path, "de.toml")
    assert dict(found.pages) | {f"content.{key}": text for key, text in found.content.items()} == clean


class Claude(ThreadingHTTPServer):
    """Translates by writing letters backwards, loses a placeholder once, and forgets what it was not asked again."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        texts = json.loads(sent["messages"][0]["content"])["texts"]
        first = not self.server.asked
        self.server.asked.append(texts)
        made = [{"key": e["key"], "text": e["text"].upper().replace("{N}", "" if first else "{n}")} for e in texts]
        reply = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
        reply |= {"content": [{"type": "text", "text": json.dumps({"texts": made})}], "stop_sequence": None}
        content = json.dumps(reply | {"usage": {"input_tokens": 1, "output_tokens": 1}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def test_a_draft_that_loses_a_placeholder_is_asked_for_again():
    server = Claude()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        client = anthropic.Anthropic(api_key="k", base_url=f"http://127.0.0.1:{server.server_port}", max_retries=0)
        found = Translator(client).translate({"a": "page {n}", "b": "start"}, "en", "xx")
    finally:
        server.shutdown()
        server.server_close()
    assert found == {"a": "PAGE {n}", "b": "START"}
    assert [len(texts) for texts in server.asked] == [2, 1]


def test_queries_in_a_language_that_the_rules_do_not_read_stay_uncoded_and_check_says_so(tmp_path):
    library = open_library(two_languages(tmp_path))
    assisted = library.study.model_copy(
        update={"arms": (library.study.arms[0], library.study.arms[1].model_copy(update={"assistant": "full"}))}
    )
    library.study = assisted
    [said] = coder_warnings(library)
    assert "queries of participants in de stay uncoded" in said
    coding = Coding.of(assisted)
    now = datetime(2026, 1, 5, tzinfo=UTC)
    asked = Turn("t", "p", "x", "notes", "full", "m", "v", "Wie öffne ich eine nursery?", "", "", now)
    for language, expected in (("de", None), ("en", ())):
        who = Participant("p", "real", "0" * 64, "completed", "end", 0, now, now, language=language)
        record = ParticipantRecord(who, "completed", assisted, [], [], [asked], [], [], {})
        codes = coding.codes(record)["t"]
        assert codes is None if expected is None else codes is not None
        assert (coding.counts(record, coding.codes(record))["queries_explanation"] is None) == (language == "de")


def test_the_range_of_a_number_is_said_as_it_can_be_typed():
    figures = catalogue("de").figures
    assert [figures.typed(value) for value in (2.5, 1000, 3.0, 120_000)] == ["2,5", "1000", "3", "120000"]


@pytest.mark.parametrize(
    ("language", "zone", "expected"),
    [
        ("en", "Europe/Berlin", "1 July 2026, 22:30 UTC (2 July 2026, 00:30, Europe/Berlin)"),
        ("de", "America/New_York", "1. Juli 2026, 22:30 Uhr UTC (1. Juli 2026, 18:30 Uhr, America/New_York)"),
        ("es", "Asia/Kolkata", "1 de julio de 2026 a las 22:30 UTC (2 de julio de 2026 a las 04:00, Asia/Kolkata)"),
        ("fr", "Etc/UTC", "1 juillet 2026 à 22:30 UTC"),
    ],
)
def test_a_moment_is_written_in_utc_and_as_the_clocks_of_a_time_zone_show_it(language, zone, expected):
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert catalogue(language).figures.local_moment(at, ZoneInfo(zone)) == expected
