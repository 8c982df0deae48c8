"""Who leaves takes along what they said to an agent and what it read; who keeps their data in leaves it whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_study, with_agent
from support.trials.export_world import open_app, settle, table

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.exporting.reimport import reimport
from study_app.storage.restored_rows import put_back

PLANTED = {
    "message": "zebra0message please get this to work, I am anna.smith@lab.example",
    "program": "zebra0program",
    "reason": "zebra0reason, ask Anna Smith",
    "answer": "zebra0answer, call +49 170 1234567",
    "edited": "zebra0edited",
}
IDENTIFIERS = ("zebra0", "anna.smith@lab.example", "Anna Smith", "1234567")


class Worded(AgentPage):
    """Says why it rejects, and adds a comment to what it edits."""

    def answer(self, frame: dict[str, Any], choice: str) -> None:
        if choice == "reject":
            said = {"action_id": frame["action_id"], "decision": "reject", "words": PLANTED["reason"]}
            self.walker.send(("agent_answered", said))
        else:
            super().answer(frame, choice)

    def apply(self, frame: dict[str, Any], added: str = "") -> None:
        super().apply(frame, added and f"# {PLANTED['edited']}\n")


@dataclass
class Left:
    """A participant with an agent, and another who stays."""

    app: Any
    walker: Any
    folder: Any
    database: str

    def stored(self) -> bytes:
        """Everything that the database holds: SQLite's files, or each row of each table of Postgres."""
        if self.database.startswith("sqlite"):
            return b"".join(path.read_bytes() for path in self.folder.glob("study.db*"))
        engine = create_engine(self.database)
        with engine.connect() as connection:
            rows = [
                str(tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row))
                for name in inspect(connection).get_table_names()
                for row in connection.execute(text(f'select * from "{name}"'))
            ]
        engine.dispose()
        return "\n".join(rows).encode()

    def exported(self, name: str, **more: Any) -> Any:
        settle(self.app)
        export(self.app.context, self.folder / name, include_preview=True, **more)
        assert [str(each) for each in verify(self.folder / name).findings] == []
        return self.folder / name

    def comes_back(self, dataset: Any) -> None:
        """The dataset in a fresh database gives the same tables."""
        (self.folder / "fresh").mkdir()
        clock = HandClock()
        clock.at = self.walker.clock.at
        clock.advance(minutes=9)
        again = open_app(self.folder / "fresh", clock, self.folder / "study.toml", changed_ok=True)
        reimport(again.context, dataset, put_back, who="test")
        export(again.context, self.folder / "again", include_preview=True)
        again.close()
        for path in (dataset / "data").iterdir():
            assert (self.folder / "again" / "data" / path.name).read_bytes() == path.read_bytes(), path.name


def in_files(folder: Any, words: tuple[str, ...]) -> list[str]:
    """Files of a dataset in which one of the words stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(word.encode() in path.read_bytes() for word in words)]


@pytest.fixture
def left(tmp_path, request):
    postgres = getattr(request, "param", "sqlite") == "postgres"
    database = request.getfixturevalue("postgres_url_with_tables") if postgres else f"sqlite:///{tmp_path}/study.db"
    clock = HandClock()
    app = open_app(tmp_path, clock, agent_study(tmp_path), database=database)
    walker = with_agent(app, clock)
    walker.edit(0, 0, f"# {PLANTED['program']}\n")
    Worded(walker, lambda frame: PLANTED["answer"] if frame["tool"] == "ask" else "stop").ask("help me")
    choices = iter(["reject", "edited"])
    page = Worded(walker, lambda frame: next(choices, "stop") if frame["tool"] == "edit" else "approve")
    page.ask(PLANTED["message"])
    assert {"reject", "edited"} <= {decision for _, decision in page.decisions}
    stays = with_agent(app, clock)
    AgentPage(stays, lambda frame: "stop").ask()
    made = Left(app, walker, tmp_path, database)
    for word in PLANTED.values():
        assert word.split(",")[0].encode() in made.stored()
    yield made
    app.close()


BOTH = pytest.mark.parametrize("left", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)


@BOTH
def test_no_word_of_who_takes_their_data_back_stays_in_any_table_or_file_and_the_rest_comes_back(left):
    left.app.session.withdraw(left.walker.id, True)
    left.app.session.sweep()
    assert b"zebra0" not in left.stored()
    assert b"anna.smith" not in left.stored()
    dataset = left.exported("after")
    assert in_files(dataset, IDENTIFIERS) == []
    assert {row["participant_id"] for row in table(dataset, "agent_actions")} == {
        row["participant_id"] for row in table(dataset, "participants") if row["agent_edits"]
    } - {left.walker.id}
    left.comes_back(dataset)


@BOTH
def test_who_leaves_and_keeps_their_data_in_keeps_every_step_and_outside_no_word_is_read(left):
    left.app.session.withdraw(left.walker.id, False)
    dataset = left.exported("out")
    mine = [row for row in table(dataset, "agent_actions") if row["participant_id"] == left.walker.id]
    assert {"reject", "edited", "answered"} <= {row["decision"] for row in mine}
    assert in_files(left.exported("public", public=True), IDENTIFIERS) == []
    left.comes_back(dataset)
