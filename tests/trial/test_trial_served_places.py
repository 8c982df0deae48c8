"""Eight people on the consent page of a served study for four: four places, whichever server they are at."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from support.replicas.persistent_person import PersistentPerson
from support.replicas.two_servers import Servers
from support.trials.commands import study
from support.trials.small_study import write_study

from study_app.domain.ledger import LedgerRow
from study_app.storage import open_registry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PLACES, PEOPLE = 4, 8
DEVICE = '[[stages]]\nid = "device"\nkind = "device"\n'
AFTER = """[[stages]]
id = "after"
kind = "survey"
[[stages.questions]]
id = "enjoyed"
kind = "scale"
low = 0
high = 7
prompt = "?"
"""
PLAN = """[analysis]
primary = ["enjoyed"]
covariates = []
subgroups = []
[[analysis.outcomes]]
id = "enjoyed"
"""
BLOCKS = 'method = "permuted_blocks"\nblock_sizes = [2]\nreplacement = "return_slot"'
FULL = "all the participants it needs"


def written(folder: Path) -> Path:
    path = write_study(folder, BLOCKS)
    text = path.read_text().replace("[[stages]]", f'[recruitment]\nentry = "links"\ntarget_n = {PLACES}\n[[stages]]', 1)
    first, _, rest = text.partition('[[stages]]\nid = "instructions"')
    middle, _, last = rest.partition('[[stages]]\nid = "debrief"')
    path.write_text(
        f'{first}{DEVICE}[[stages]]\nid = "instructions"{middle}{AFTER}[[stages]]\nid = "debrief"{last}{PLAN}'
    )
    return path


class Trial:
    """A launched study, its servers and its links."""

    def __init__(self, folder: Path, database: str, servers: Servers, path: Path) -> None:
        self.folder, self.database, self.servers, self.path = folder, database, servers, path
        made = self.command("create-links", path, "--count", PEOPLE + 3)
        self.links = re.findall(r"link=([\w.~-]+)", made)

    def command(self, *arguments: object) -> str:
        return study(*arguments, cwd=self.folder, STUDY_DATABASE_URL=self.database).stdout

    def come(self, number: int) -> PersistentPerson:
        """On the consent page of one of the servers, in turn."""
        person = PersistentPerson(self.servers.urls, number)
        person.link = self.links.pop()
        person.enter()
        assert person.where()[0] == "consent"
        return person

    def allocations(self) -> list[LedgerRow]:
        registry = open_registry(self.database)
        with registry.begin(write=False) as unit:
            found = [LedgerRow.parse(row) for row in unit.allocations("real")]
        registry.close()
        return found


@pytest.fixture
def trial(tmp_path, database_url):
    path = written(tmp_path)
    study("launch", path, "--yes", cwd=tmp_path, STUDY_DATABASE_URL=database_url)
    given = {"STUDY_SEAL_KEY": (tmp_path / "var" / "seal.key").read_text().strip()}
    count = 1 if database_url.startswith("sqlite") else 2
    with Servers(tmp_path, database_url, count, path, **given) as servers:
        yield Trial(tmp_path, database_url, servers, path)


def at_once(people: list[PersistentPerson], stage: str, act: str) -> None:
    """Everybody presses at one moment."""
    together = Barrier(len(people))

    def press(person: PersistentPerson) -> int:
        together.wait(120)
        return person.ask("POST", "/api/act", {"stage": stage, "act": act, "pledged": True}).status_code

    with ThreadPoolExecutor(len(people)) as pool:
        assert set(pool.map(press, people)) == {200}


def test_eight_who_consent_at_one_moment_make_four_allocations_and_a_returned_slot_is_filled_again(trial):
    people = [trial.come(number) for number in range(PEOPLE)]
    at_once(people, "consent", "agree")
    going_on = [person for person in people if person.where()[0] == "device"]
    assert len(going_on) == PLACES
    refused = [person for person in people if person not in going_on]
    assert {person.where()[0] for person in refused} == {"end"}
    at_once(going_on, "device", "continue")
    assert [row.allocation_index for row in trial.allocations()] == [1, 2, 3, 4]
    latecomer = httpx.post(f"{trial.servers.urls[0]}/enter", data={"link": trial.links.pop()}, timeout=60)
    assert latecomer.status_code >= 400
    assert FULL in latecomer.text

    leaver = going_on[0]
    leaver.ask("POST", "/api/act", {"stage": "instructions", "act": "leave"})
    assert leaver.where()[0] == "end"
    newcomers = [trial.come(number) for number in range(2)]
    at_once(newcomers, "consent", "agree")
    (stays,) = [person for person in newcomers if person.where()[0] == "device"]
    at_once([stays], "device", "continue")
    rows = trial.allocations()
    assert len(rows) == PLACES + 1
    assert len(rows[-1].returned) == 1
    assert rows[-1].arm == rows[rows[-1].returned[0] - 1].arm
    trial.command("export", trial.path, "--out", trial.folder / "data")
    report = json.loads(trial.command("verify", trial.folder / "data", "--json"))
    assert report["findings"] == []
