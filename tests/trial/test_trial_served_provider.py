"""A launched trial, served, whose provider answers with another model from the 40th question on; to its report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.providers.fake_provider import MODEL, FakeProvider
from support.replicas.persistent_person import PersistentPerson, _event
from support.server import StudyServer
from support.trials.commands import LAUNCHABLE, study
from support.trials.shipped import variant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DECLARED, OTHER = f"{MODEL}-20260101", "claude-haiku-5-5"
CHANGES_AT = 40
NO_ROUNDS = ("[assistant_policy]\n", "[assistant_policy]\ndrift_probes = false\n")
"""The provider counts the questions of people only."""
PEOPLE, EACH = 4, 12
"""Two of four have the assistant, and ask so often at each of two tasks."""


class Asker(PersistentPerson):
    """Asks at every task where there is an assistant, and writes a line."""

    def task(self, stage: Any, step: int) -> None:
        name, page, text = stage.packs[step].rsplit("/", 1)[-1], self.open(), "print(1)\n"
        change = {"from": 0, "to": 0, "insert": text}
        self.send(page, [
            _event(1, "load", {"task": name, "text": "", "source": "starter"}),
            _event(2, "edit", {"task": name, "kind": "typed", "changes": [change], "length": len(text)}),
        ])  # fmt: skip
        for _ in range(EACH):
            self.chat(page)
        self.ask("POST", "/api/submit", {"code": text, "confirm": True, "page": page, "seq": 2, "task": name})


def launched(folder: Path, serving: FakeProvider) -> tuple[Path, list[str]]:
    """The study file of a launched trial, and its links."""
    path = variant(folder, *LAUNCHABLE[:2], ("target_n = 52", f"target_n = {PEOPLE}"), NO_ROUNDS)
    study("launch", path, "--yes", cwd=folder, **environment(folder, serving))
    made = study("create-links", path, "--count", PEOPLE, cwd=folder, **environment(folder, serving))
    return path, re.findall(r"link=([\w.~-]+)", made.stdout)


def environment(folder: Path, serving: FakeProvider) -> dict[str, str]:
    return {"STUDY_DATABASE_URL": f"sqlite:///{folder}/study.db", **serving.environment}


def walked(folder: Path, path: Path, links: list[str], serving: FakeProvider) -> None:
    """Everybody walks through the served study, one after the other."""
    server = StudyServer(folder, study=path, **serving.environment).start()
    try:
        for number, link in enumerate(links):
            person = Asker([server.url], number)
            person.link = link
            met = person.walk()
            assert (met.finished, met.refused) == (True, [])
    finally:
        server.stop()


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The dataset of the trial after its end, and the folder of its analysis."""
    folder = tmp_path_factory.mktemp("served")
    serving = FakeProvider(serves=lambda number: DECLARED if number < CHANGES_AT else OTHER)
    try:
        path, links = launched(folder, serving)
        walked(folder, path, links, serving)
        given = environment(folder, serving)
        assert serving.messages == EACH * 2 * PEOPLE // 2
        for verb in ("close", "unseal"):
            study(verb, path, "--reason", "the end", cwd=folder, **given)
        study("export", path, "--out", folder / "data", cwd=folder, **given)
    finally:
        serving.close()
    study("analyze", folder / "data", "--out", folder / "out", cwd=folder)
    return folder


def test_verify_names_the_model_that_was_served_instead(ended):
    done = study("verify", ended / "data", "--json", cwd=ended, expect=1)
    report = json.loads(done.stdout)
    found = [one for one in report["findings"] if one["name"] == "model_differs"]
    assert len(found) == EACH * PEOPLE - (CHANGES_AT - 1)
    assert all(OTHER in one["message"] and MODEL in one["message"] for one in found)
    assert {one["name"] for one in report["findings"]} == {"model_differs"}


def test_the_report_shows_it_where_it_asks_whether_the_treatment_was_the_same(ended):
    page = (ended / "out" / "report.html").read_text(encoding="utf-8")
    _, found, section = page.partition("Was the treatment the same throughout?")
    section = section.partition("<h2")[0]
    assert found
    assert DECLARED in section
    assert OTHER in section
    results = json.loads((ended / "out" / "results.json").read_text(encoding="utf-8"))
    served = results["treatment"]["full"]["served"]
    assert [(one["model"], one["replies"]) for one in served] == [
        (DECLARED, CHANGES_AT - 1), (OTHER, EACH * PEOPLE - CHANGES_AT + 1),
    ]  # fmt: skip
    assert any(OTHER in text for text in results["warnings"])
