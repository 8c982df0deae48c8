"""Who is erased from a trial that has everything leaves no word in any file of its database."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from support.clock import HandClock
from support.paths import ROOT
from support.trials.agent_study import AgentPage
from support.trials.export_world import Walker, open_app
from support.trials.rich_study import rich_study

from study_app.domain.records import Rating
from study_app.domain.tasks.hacks.coding import OBJECT, REASON_RUBRIC
from study_app.domain.themes.marks import QUOTE, interview_object
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.participant.probing.asking import ProbeAnswer

MARK = "quagga0"
PANEL = {"prolific_pid": f"{MARK}pid", "prolific_study": f"{MARK}panelstudy", "prolific_session": f"{MARK}session"}


@dataclass
class Planted:
    """Hands out one mark a place."""

    marks: list[str] = field(default_factory=list)

    def __call__(self, place: str) -> str:
        self.marks.append(MARK + place)
        return MARK + place


class AtAgent(AgentPage):
    """Says why they reject, and adds a comment to what they let pass."""

    planted: Planted

    def answer(self, frame: dict[str, Any], choice: str) -> None:
        if choice == "reject":
            said = {"action_id": frame["action_id"], "decision": "reject", "words": f"no, {self.planted('reason')}"}
            self.walker.send(("agent_answered", said))
        else:
            super().answer(frame, choice)

    def apply(self, frame: dict[str, Any], added: str = "") -> None:
        super().apply(frame, added and f"# {self.planted('edited')}\n")


def to_tasks(app, clock, entry: EntryRequest, notes: str = "none") -> Walker:
    """A participant at the first task; their notes of the survey before it."""
    person = Walker(app, clock, entry)
    app.session.where(person.id)
    app.session.consent(person.id, True)
    clock.advance(minutes=1)
    app.answers.submit_survey(person.id, "background", {"share_words": "yes", "notes": notes})
    app.session.where(person.id)
    app.session.continue_(person.id, "instructions")
    app.session.where(person.id)
    return person


def form_edit(person: Walker, stage: str, name: str, text: str, step: int = 0) -> None:
    """What the browser logs while they write in a box of a form; an own page, of which nothing is handed in."""
    person.pages += 1
    person.page, person.seq = f"page{person.pages}-{person.id}", 0
    person.app.session.take_over(person.id, person.page)
    place = {"stage": stage, "step": step}
    change = {"from": 0, "to": 0, "insert": text}
    edit = {"field": name, "kind": "typed", "changes": [change], "length": len(text)}
    person.send(("answers_shown", place), ("answer_edit", place | edit))


def with_agent(app, clock, planted: Planted) -> Walker:
    """Who comes first into an arm with the agent; of each class both arms are drawn in time."""
    for number in range(16):
        last = {name: f"{value}{number}" for name, value in PANEL.items()}
        person = to_tasks(app, clock, EntryRequest(label=f"class{number}", **last), planted("notes"))
        if (person.arm or "").startswith("each"):
            planted.marks += last.values()
            return person
        planted.marks.remove(MARK + "notes")
        app.session.withdraw(person.id, True)
    raise AssertionError("no one of sixteen was allocated to an arm with the agent")


def walked(app, clock) -> tuple[Walker, Planted]:
    """A participant who has written everywhere, of whom researchers have written, too."""
    planted = Planted()
    person = with_agent(app, clock, planted)
    person.begin_tasks()
    at_work(person, planted)
    answering(person, planted)
    judged(person, planted)
    return person, planted


def at_work(person: Walker, planted: Planted) -> None:
    app, clock, who = person.app, person.clock, person.id
    person.edit(0, 0, f"# {planted('code')}\n")
    person.paste(f"# {planted('paste')} {'x' * 9_000}\n")
    person.send(("copy", {"text": planted("copied"), "length": 12, "from": "editor"}))
    clock.advance(minutes=2)
    app.probes.show(who, person.page)
    app.probes.end(who, person.page, 2, ProbeAnswer(valence=3, arousal=7, calm_desperate=80))
    AtAgent.planted = planted
    AtAgent(person, lambda frame: planted("spoken") if frame["tool"] == "ask" else "stop").ask("help me")
    choices = iter(["reject", "edited"])
    page = AtAgent(person, lambda frame: next(choices, "stop") if frame["tool"] == "edit" else "approve")
    page.ask(f"please get this to work, {planted('message')}")
    assert {"reject", "edited"} <= {decision for _, decision in page.decisions}
    text = person.text
    person.replace_all(f"print('{planted('printed')}')\nraise ValueError('{planted('raised')}')\n")
    person.run()
    person.replace_all(text)
    person.submit()
    person.send(("compose_start", {}))
    clock.advance(minutes=40)
    app.session.sweep()


def answering(person: Walker, planted: Planted) -> None:
    """The quiz, the survey at the end, and nine days later the interview."""
    app, clock, who = person.app, person.clock, person.id
    app.session.where(who)
    app.session.begin_stage(who, "quiz")
    form_edit(person, "quiz", "names", planted("quizdraft"))
    bank = app.library.bank("quizzes/trio")
    free = {"short_text": planted("quiztext"), "code": f"# {planted('quizcode')}\n"}
    for step, items in enumerate(bank.pages_of(None)):
        clock.advance(seconds=60)
        app.answers.submit_page(who, "quiz", step, {item.id: free[item.kind] for item in items if item.kind in free})
    app.session.where(who)
    form_edit(person, "exit", "feedback", planted("draft"))
    clock.advance(seconds=30)
    app.answers.submit_survey(who, "exit", {"feedback": planted("feedback")})
    app.session.where(who)
    clock.advance(days=10)
    app.session.where(who)
    app.session.begin_stage(who, "talk")
    for number in range(40):
        place, interview = app.interviews.view(who)
        step = place.participant.step
        if interview.question(step) is None:
            given = {"summary_rating": 3, "summary_missing": planted("missing")}
        else:
            given = {f"turn_{step + 1}": f"I looked twice, {planted(f'talk{number}')}, and wrote a loop after that."}
        clock.advance(seconds=30)
        app.interviews.answer(who, "talk", step, given)
        if "summary_rating" in given:
            return
    raise AssertionError("the interview does not end")


def judged(person: Walker, planted: Planted) -> None:
    """What researchers and programs write about them."""
    app, who = person.app, person.id
    app.grading.grade_pending()
    app.scoring.score_pending()
    app.acts.note(who, planted("note"), "anna")
    app.acts.message(who, planted("shown"), planted("why"), "anna")
    app.lifecycle.exclude(who, planted("excluded"), "anna")
    app.lifecycle.unblind(who, planted("unblinded"), "anna")
    with app.context.registry.begin() as unit:
        run, turn = unit.runs(who)[0].id, unit.turns(who)[0].id
        talk = next(each.details for each in unit.events_of(who, {"interview_asked"}))
        for name, (about, rubric) in {
            "hackreason": (OBJECT + run, REASON_RUBRIC),
            "turncode": (f"turn:{turn}", "reason1"),
            "quote": (interview_object(talk.interview_id, "approach"), QUOTE),
        }.items():
            rating = Rating(f"r{name}", about, "eva", planted(name), rubric, app.context.now())
            unit.add_rating(rating)


def holding(folder: Path, marks: list[str]) -> dict[str, list[str]]:
    """Each mark that stands in a file below the folder, with the files."""
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file() and (content := path.read_bytes()).count(MARK.encode()):
            for mark in [mark for mark in marks if mark.encode() in content] or [MARK]:
                found.setdefault(mark, []).append(path.relative_to(folder).as_posix())
    return found


def test_no_file_of_sqlite_holds_a_word_of_an_erased_participant_and_none_of_the_server(tmp_path):
    app = open_app(tmp_path, clock := HandClock(), rich_study(tmp_path))
    person, planted = walked(app, clock)
    assert set(planted.marks) - set(holding(tmp_path, planted.marks)) == set()
    app.acts.erase(person.id, "asked for it", "anna")
    app.session.sweep()
    assert holding(tmp_path, planted.marks) == {}
    app.close()
    assert holding(tmp_path, planted.marks) == {}


def documented() -> list[str]:
    """The statements that docs/how-to/deploy.md gives to an administrator of Postgres."""
    page = (ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
    block = re.search(r"```sql\n(.*?)```", page, re.DOTALL)
    assert block
    statements = re.sub(r"--.*", "", block[1]).split(";")
    return [each.strip() for each in statements if each.strip()]


def uncompressed(database: psycopg.Connection) -> None:
    """Store texts as they are: compressed words cannot be found by their bytes."""
    texts = database.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type IN ('text', 'character varying', 'bytea', 'json', 'jsonb')"
    ).fetchall()
    for name, column in texts:
        database.execute(
            sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET STORAGE EXTERNAL").format(*map(sql.Identifier, (name, column)))
        )


def served_for_a_while(database: psycopg.Connection) -> None:
    """Statistics as autovacuum makes them, and segments of the log that wait with their words for being used anew."""
    database.execute("ANALYZE")
    for _ in range(3):
        database.execute("SELECT pg_logical_emit_message(false, 'test', ''), pg_switch_wal()")
        database.execute("CHECKPOINT")


@pytest.mark.slow
def test_no_file_of_postgres_does_after_what_the_documentation_asks_of_an_administrator(
    postgres_url_with_tables, tmp_path
):
    with psycopg.connect(postgres_url_with_tables, autocommit=True) as database:
        uncompressed(database)
        data = Path(database.execute("SHOW data_directory").fetchone()[0])
        app = open_app(tmp_path, clock := HandClock(), rich_study(tmp_path), database=postgres_url_with_tables)
        person, planted = walked(app, clock)
        served_for_a_while(database)
        before = holding(data, planted.marks)
        assert set(planted.marks) - set(before) == set()
        places = {path.split("/")[0] for paths in before.values() for path in paths}
        statistics = database.execute("SELECT pg_relation_filepath('pg_statistic')").fetchone()[0]
        assert places >= {"base", "pg_wal"}
        assert any(statistics in paths for paths in before.values())
        app.acts.erase(person.id, "asked for it", "anna")
        app.session.sweep()
        for statement in documented():
            database.execute(statement)
        assert holding(data, planted.marks) == {}
        assert holding(tmp_path, planted.marks) == {}
        app.close()
        assert database.execute("SHOW wal_recycle").fetchone()[0] == "on"
