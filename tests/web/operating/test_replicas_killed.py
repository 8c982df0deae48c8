"""Servers of one study are killed while people work: nothing that was acknowledged is lost, and everybody finishes."""

from __future__ import annotations

import random
import time

import httpx
import pytest
from support.replicas.chaos import Chaos, StickyProxy
from support.replicas.persistent_person import COOKIE, PersistentPerson, walk_all
from support.replicas.two_servers import Servers
from support.replicas.verdict import faults, settled

from study_app.bootstrap import start
from study_app.settings import Settings


def opened(servers: Servers, folder):
    first = servers.servers[0]
    return start(Settings(first.study, first.database, folder / "var", environment={}))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_people_on_two_servers_with_a_kill_every_few_seconds_lose_nothing_and_finish(tmp_path, postgres_url):
    rng = random.Random(7)
    with Servers(tmp_path, postgres_url) as servers:
        people = [PersistentPerson(servers.urls, seed, seconds=15) for seed in range(6)]
        over = walk_all(people)
        kills = 0
        while not over.wait(rng.uniform(2, 5)) and kills < 6:
            number = rng.randrange(2)
            servers.kill(number)
            kills += 1
            servers.restart(number)
        assert over.wait(600)
        assert kills
        app = opened(servers, tmp_path)
        found = faults(app, people, tmp_path / "data")
        app.close()
    assert not found, "\n".join(found)
    assert sum(person.met.reconnected for person in people)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whatever_is_killed_people_behind_the_proxy_lose_nothing_and_finish(tmp_path, postgres_url):
    with Servers(tmp_path, postgres_url) as servers, StickyProxy(tmp_path, servers) as proxy:
        breaking = Chaos(servers, postgres_url.replace("+psycopg", ""), random.Random(3))
        people = [PersistentPerson([proxy.url], seed, seconds=15) for seed in range(6)]
        over = walk_all(people)
        while not over.wait(4):
            breaking.strike()
        breaking.wait()
        app = opened(servers, tmp_path)
        found = faults(app, people, tmp_path / "data")
        app.close()
    assert not found, "\n".join(found)
    assert breaking.done["fork server"] + breaking.done["connection"] + breaking.done["server"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_server_killed_in_the_middle_of_a_reply_costs_one_more_press(tmp_path, postgres_url):
    with Servers(tmp_path, postgres_url) as servers:
        person = assisted(servers.urls)
        page = person.open()
        cut = cut_reply(servers, person, page)
        person.at = 1
        person._until_ended()  # noqa: SLF001
        (turn, *_) = person.ask("GET", "/api/chat/turns").json()["turns"][-1:]
        assert turn["complete"]
        assert turn["error"]
        assert cut.startswith(turn["reply"]) or turn["reply"].startswith(cut)
        answer = person.ask("POST", "/api/chat", {"message": "What is a nursery?", "page": page})
        assert answer.status_code == 200
        assert "nursery" in answer.text
        app = opened(servers, tmp_path)
        settled(app)
        with app.context.registry.begin(write=False) as unit:
            turns = unit.turns()
            ended = [event for event in unit.events() if event.kind == "turn_ended"]
        app.close()
    assert len(turns) == len(ended) == 2
    assert [each.error for each in turns] == ["interrupted", None]


def assisted(urls: list[str]) -> PersistentPerson:
    """A person at the main tasks in the arm with an assistant, at the first server."""
    for seed in range(0, 40, 2):
        person = PersistentPerson(urls, seed, seconds=0)
        answer = person.ask("POST", "/enter")
        person.cookies[COOKIE] = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
        from support.hostile.hostile_person import STUDY

        while (at := person.where())[0] != "tasks":
            person.advance(next(stage for stage in STUDY.stages if stage.id == at[0]), at[1])
        person.ask("POST", "/api/act", {"stage": "tasks", "act": "begin"})
        probe = httpx.get(f"{urls[0]}/api/chat/turns", cookies=person.cookies, timeout=60)
        page = person.open()
        refused = httpx.post(
            f"{urls[0]}/api/chat", json={"message": " ", "page": page}, cookies=person.cookies, timeout=60
        )
        assert probe.status_code == 200
        if refused.status_code != 403 and _has_assistant(person, page):
            return person
    raise AssertionError("no person was allocated to the assistant")


def _has_assistant(person: PersistentPerson, page: str) -> bool:
    with httpx.stream(
        "POST", f"{person.urls[0]}/api/chat", json={"message": "", "page": page}, cookies=person.cookies, timeout=60
    ) as answer:
        return answer.status_code != 403


def cut_reply(servers: Servers, person: PersistentPerson, page: str) -> str:
    """Ask at the first server and kill it after some words; returns what came."""
    came = ""
    try:
        with httpx.stream(
            "POST",
            f"{servers.urls[0]}/api/chat",
            json={"message": "What is a nursery?", "page": page},
            cookies=person.cookies,
            timeout=60,
        ) as answer:
            assert answer.status_code == 200, answer.read()
            for piece in answer.iter_text():
                came += piece
                if len(came) > 20:
                    servers.kill(0)
                    time.sleep(0)
    except httpx.TransportError:
        return came
    raise AssertionError("the reply was not cut off")
