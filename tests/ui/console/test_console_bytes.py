"""The dataset of a served console is that of the command line byte for byte: open, launched, closed, on both databases.

The trial has chats, answers that two people rated and settled, queries coded by two people, and programs that wait for
their verdict; the first that is asked grades them.
"""

from __future__ import annotations

import csv
import io
import time
import zipfile
from pathlib import Path

import httpx
import pytest
from console_room import PASSWORD, Account, Trial, busy
from support.server import StudyServer, wait_until_up
from support.trials.commands import study

from study_app.clock import SystemClock
from study_app.domain.records import RunRecord
from study_app.services.researcher.coding import Codings
from study_app.services.researcher.judging.rating import RatingQueue

pytestmark = pytest.mark.timeout(900)


def hand_in_unseen(trial: Trial, number: int) -> None:
    """A submission that no server has graded."""
    context = trial.app.context
    with context.registry.begin() as unit:
        people = [person.id for person in unit.participants() if person.arm is not None]
        who = people[number % len(people)]
        pack = context.content.pack("tasks/trio_timer")
        unit.add_run(RunRecord(context.fresh_id(), who, pack.id, "tasks", "submission", pack.solution, context.now()))


def rate_and_code(trial: Trial, kind: str) -> None:
    """Two graders who differ, one of whom corrects a rating, a decision, and codes by two people."""
    ratings, codings = RatingQueue(trial.app.context), Codings(trial.app.context)
    for number, view in enumerate(ratings.answers_for("eva", kind)):
        least = dict.fromkeys((name for name, _, _ in view.criteria), 0.0)
        most = {name: points for name, _, points in view.criteria}
        ratings.rate("eva", view.object, least)
        ratings.rate("finn", view.object, most if number % 2 else least)
        if number == 0:
            ratings.rate("eva", view.object, most)
    dispute = ratings.disputes("anna", kind)[0]
    ratings.settle("anna", dispute.answer.object, dispute.ratings[0], "names the nursery")
    for view in codings.queries_for("eva", kind):
        codings.code("eva", view.turn_id, ["explanation"])
        codings.code("finn", view.turn_id, ["debugging", "explanation"])


def signed_in(server: StudyServer) -> httpx.Client:
    client = httpx.Client(base_url=server.console_url, timeout=300)
    assert client.post("/login", data={"name": "admin", "password": PASSWORD}).status_code == 303
    return client


class Served:
    """A trial with people in it, its server with a console, and its commands."""

    def __init__(self, folder: Path, database: str, *, launched: bool) -> None:
        self.folder = folder
        self.trial = Trial(folder, database=database, launched=launched)
        self.kind = "real" if launched else "preview"
        busy(self.trial, 6)
        rate_and_code(self.trial, self.kind)
        Account(folder / "var").set(PASSWORD, "admin", "full")
        self.server = StudyServer(folder, study=self.trial.study_file, console=True)
        self.server.database = database
        self.server.start()
        wait_until_up(f"{self.server.console_url}/healthz")
        self.client = signed_in(self.server)
        self.wait_for_the_sweep()

    def wait_for_the_sweep(self) -> None:
        """By the server's clock every deadline is long over; it hands in what was written, once."""
        end = time.monotonic() + 240
        while time.monotonic() < end:
            with self.trial.app.context.registry.begin(write=False) as unit:
                if not unit.overdue(SystemClock().now()):
                    return
            time.sleep(0.2)
        raise AssertionError("the server did not end what is overdue")

    def console(self, name: str) -> dict[str, bytes]:
        answer = self.client.get("/download/dataset.zip", params={"preview": "1"})
        assert answer.status_code == 200, answer.text
        zipfile.ZipFile(io.BytesIO(answer.content)).extractall(self.folder / name)
        (dataset,) = (self.folder / name).iterdir()
        return data_of(dataset)

    def command(self, name: str) -> dict[str, bytes]:
        out = self.folder / name
        database = ("--database", self.server.database)
        study("export", self.trial.study_file, *database, "--out", out, "--include-preview", cwd=self.folder)
        return data_of(out)

    def both(self, name: str, *, console_first: bool) -> dict[str, bytes]:
        """The data from both, with a new submission that waits when the first is asked."""
        hand_in_unseen(self.trial, len(name))
        ways = [self.console, self.command] if console_first else [self.command, self.console]
        first, second = (way(f"{name}-{way.__name__}") for way in ways)
        assert sorted(first) == sorted(second)
        assert [table for table in first if first[table] != second[table]] == []
        return first

    def close(self) -> None:
        self.client.close()
        self.server.stop()
        self.trial.close()


def data_of(dataset: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((dataset / "data").iterdir())}


def rows(data: dict[str, bytes], table: str) -> list[dict[str, str]]:
    (content,) = (content for name, content in data.items() if name.endswith(f"-{table}_data.csv"))
    return list(csv.DictReader(io.StringIO(content.decode())))


def graded(data: dict[str, bytes]) -> None:
    submissions = [row for row in rows(data, "runs") if row["kind"] == "submission"]
    assert submissions
    assert all(row["checks"] for row in submissions)


@pytest.fixture
def served(tmp_path, database_url):
    made: list[Served] = []

    def make(*, launched: bool) -> Served:
        made.append(Served(tmp_path, database_url, launched=launched))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.slow
def test_an_open_study_has_the_same_bytes_from_both(served):
    trial = served(launched=False)
    for console_first in (True, False):
        data = trial.both(f"open{console_first:d}", console_first=console_first)
    graded(data)
    raters = {row["rater"] for row in rows(data, "ratings")}
    assert len(raters) >= 4, "eva, finn, the decision and the coder by rules"
    assert {row["points"] for row in rows(data, "answers")} - {""}


@pytest.mark.slow
def test_a_launched_closed_and_unsealed_study_has_the_same_bytes_from_both(served):
    trial = served(launched=True)
    trial.both("launched", console_first=True)
    trial.trial.app.lifecycle.close("enough")
    trial.both("closed", console_first=False)
    app = trial.trial.app
    with app.context.registry.begin(write=False) as unit:
        going_on = [one.id for one in unit.participants() if one.status == "in_progress"]
    for who in going_on:
        app.session.withdraw(who, False)
    app.lifecycle.unseal("done")
    data = trial.both("unsealed", console_first=True)
    graded(data)
    assert {row["arm"] for row in rows(data, "participants")} >= {"ai", "no_ai"}
