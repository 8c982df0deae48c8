"""The commands as a researcher types them: a trial's whole life, and every mistake in one line."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.server import StudyServer, free_port
from support.trials.commands import LAUNCHABLE, study
from support.trials.shipped import variant

ROOT = Path(__file__).parents[2]


def only_errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    lines = done.stderr.strip().splitlines()
    assert lines
    assert all(line.startswith("error: ") for line in lines), done.stderr
    return lines


def test_a_trial_lives_from_draft_to_unsealed(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE)
    database = ("--database", f"sqlite:///{tmp_path}/study.db")
    launched = json.loads(study("launch", path, *database, "--json", cwd=tmp_path).stdout)
    prereg = json.loads((tmp_path / "prereg.json").read_text())
    assert prereg["seed_commitment"] == launched["commitment"]
    assert prereg["study_hash"] == launched["study_hash"]
    assert "To be completed" in (tmp_path / "prereg.md").read_text()
    assert (tmp_path / "var" / "seal.key").stat().st_mode & 0o777 == 0o600
    again = study("launch", path, *database, cwd=tmp_path, expect=2)
    assert "a study is launched once" in only_errors(again)[0]

    links = json.loads(study("create-links", path, *database, "--count", 3, "--json", cwd=tmp_path).stdout)
    secrets = [entry["link"].split("link=")[1] for entry in links]
    server = StudyServer(tmp_path, path).start()
    try:
        assert httpx.post(f"{server.url}/enter").status_code == 409, "no one enters a launched study without a link"
        assert httpx.post(f"{server.url}/enter", data={"label": "x"}).status_code == 409
        assert httpx.post(f"{server.url}/enter", data={"link": secrets[0]}).status_code == 303
        assert httpx.post(f"{server.url}/enter", data={"link": secrets[0]}).status_code == 303, (
            "the same link re-attaches"
        )
    finally:
        server.stop()

    out = tmp_path / "launched"
    study("export", path, *database, "--out", out, cwd=tmp_path)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["state"] == "launched"
    people = (out / "data" / "study-triolearning_description-participants_data.csv").read_text().splitlines()
    assert len(people) == 2, "one participant, however often the link was opened"
    study("verify", out, cwd=tmp_path)

    early = study("unseal", path, *database, "--reason", "x", cwd=tmp_path, expect=2)
    assert "this one is launched; record a change" in only_errors(early)[0]
    only_errors(study("close", path, *database, cwd=tmp_path, expect=2))
    study("close", path, *database, "--reason", "enough", cwd=tmp_path)
    server = StudyServer(tmp_path, path).start()
    try:
        refused = httpx.post(f"{server.url}/enter", data={"link": secrets[1]})
        assert refused.status_code == 409
        assert "no longer accepts new participants" in refused.text
    finally:
        server.stop()
    study("unseal", path, *database, "--reason", "analysis", cwd=tmp_path)
    out = tmp_path / "unsealed"
    study("export", path, *database, "--out", out, cwd=tmp_path)
    assert json.loads((out / "manifest.json").read_text())["state"] == "unsealed"
    study("verify", out, cwd=tmp_path)


def test_a_launched_study_whose_file_changed_does_not_start_until_amended(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE)
    (tmp_path / "assistants").unlink()
    shutil.copytree(ROOT / "assistants", tmp_path / "assistants")
    database = ("--database", f"sqlite:///{tmp_path}/study.db")
    study("launch", path, *database, cwd=tmp_path)
    treatment = tmp_path / "assistants" / "full.toml"
    as_launched = treatment.read_bytes()
    treatment.write_bytes(as_launched.replace(b"\n", b"\r\n"))
    refused = study("create-links", path, *database, "--count", 1, cwd=tmp_path, expect=2)
    assert "assistants/full.toml: only its line ends differ" in only_errors(refused)[0]
    treatment.write_bytes(as_launched)
    path.write_text(path.read_text().replace("How was it?", "How did it go?"))
    refused = study("create-links", path, *database, "--count", 1, cwd=tmp_path, expect=2)
    assert "stages" in only_errors(refused)[0]
    assert "study amend" in only_errors(refused)[0]
    only_errors(study("amend", path, *database, cwd=tmp_path, expect=2))
    study("amend", path, *database, "--reason", "friendlier heading", cwd=tmp_path)
    study("create-links", path, *database, "--count", 1, cwd=tmp_path)


@pytest.mark.slow
def test_a_dry_run_of_launch_and_amend_tells_and_changes_nothing(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE, ('language = "en"', 'language = "de"'))
    database = ("--database", f"sqlite:///{tmp_path}/study.db")
    output = study("launch", path, *database, "--dry-run", cwd=tmp_path).stdout
    for part in (
        "Fixed permanently",
        "no_ai (1) control, ai (1)",
        "permuted_blocks",
        "sealed now",
        "nothing was changed",
    ):
        assert part in output
    assert not (tmp_path / "prereg.json").exists()
    warned = [line for line in output.splitlines() if line.startswith("warning: ")]
    assert any("a draft that no speaker has reviewed" in line for line in warned)
    launched = study("launch", path, *database, cwd=tmp_path).stdout
    # Afterwards it is too late: the rehearsal warns of all that the launch warns of.
    assert [line for line in launched.splitlines() if line.startswith("warning: ")] == warned
    path.write_text(path.read_text().replace("How was it?", "How did it go?"))
    output = study("amend", path, *database, "--dry-run", cwd=tmp_path).stdout
    assert "stages.exit.title: How was it? -> How did it go?" in output
    path.write_text(path.read_text().replace("block_sizes = [2, 4, 6]", "block_sizes = [4]"))
    refused = study("amend", path, *database, "--reason", "other blocks", cwd=tmp_path, expect=2)
    assert "allocation: how arms are drawn" in refused.stderr


def test_an_unfit_study_is_not_launched_and_nothing_is_half_written(tmp_path):
    path = variant(tmp_path)
    refused = study("launch", path, "--database", f"sqlite:///{tmp_path}/study.db", cwd=tmp_path, expect=2)
    keys = [line.split(": ")[2] for line in only_errors(refused)]
    assert keys == ["recruitment.entry", "assistant_policy.allow_embedded"]
    assert not (tmp_path / "prereg.json").exists()
    assert not (tmp_path / "var" / "seal.key").exists()


@pytest.mark.slow
def test_without_the_sealing_key_nobody_is_allocated_and_the_message_says_why(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE)
    database = ("--database", f"sqlite:///{tmp_path}/study.db")
    study("launch", path, *database, cwd=tmp_path)
    study("close", path, *database, "--reason", "x", cwd=tmp_path)
    (tmp_path / "var" / "seal.key").unlink()
    refused = study("unseal", path, *database, "--reason", "x", cwd=tmp_path, expect=1)
    assert "sealing key" in only_errors(refused)[0]
    path.write_text(path.read_text().replace("target_n = 2", "target_n = 3"))
    looked = json.loads(study("doctor", path, *database, "--json", cwd=tmp_path, expect=1).stdout)
    found = {entry["name"]: (entry["ok"], entry["finding"]) for entry in looked["findings"]}
    assert not found["sealing key"][0]
    assert "cannot be read" in found["sealing key"][1]
    # What `serve` would refuse, by the same function.
    assert not found["serving"][0]
    assert "launched with another content (recruitment)" in found["serving"][1]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("arguments", "sign"),
    [
        (["export", "gone.toml", "--out", "x"], "gone.toml"),
        (["export", "STUDY", "--out", "x", "--database", "mysql://h/d"], "mysql"),
        pytest.param(
            ["export", "STUDY", "--out", "x", "--database", "sqlite:////proc/no/study.db"],
            "/proc/no",
            marks=pytest.mark.slow,
        ),
        (["verify", "gone"], "gone"),
        pytest.param(["analyze", "gone", "--out", "x"], "gone", marks=pytest.mark.slow),
        pytest.param(["check", "gone.toml"], "gone.toml", marks=pytest.mark.slow),
        (["simulate", "STUDY", "--participants", "0"], "participants"),
        pytest.param(["simulate", "STUDY", "--dropout", "2"], "dropout", marks=pytest.mark.slow),
        (["create-links", "STUDY", "--labels", "gone.txt"], "gone.txt"),
        pytest.param(["try", "nopack", "x.py"], "nopack", marks=pytest.mark.slow),
        pytest.param(["import-transcripts", "gone", "--out", "x"], "gone", marks=pytest.mark.slow),
        pytest.param(["code-queries", "gone"], "gone", marks=pytest.mark.slow),
        (["power", "STUDY", "--workers", "many"], "many"),
        (["serve", "STUDY", "--port", "99999"], "99999"),
        (["nonsense"], "nonsense"),
        ([], "verb is missing"),
        (["export"], "--out"),
    ],
)
def test_a_mistake_is_one_line_that_names_it_and_exit_2(tmp_path, arguments, sign):
    given = [str(variant(tmp_path)) if argument == "STUDY" else argument for argument in arguments]
    done = study(*given, cwd=tmp_path, expect=2)
    assert any(sign in line for line in only_errors(done))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "verb", ["export", "amend", *(pytest.param(verb, marks=pytest.mark.slow) for verb in ("close", "unseal"))]
)
def test_a_database_that_is_not_there_is_named_and_not_made(tmp_path, verb):
    given = ["--out", tmp_path / "x"] if verb == "export" else ["--reason", "why"]
    database = f"sqlite:///{tmp_path}/gone.db"
    done = study(verb, variant(tmp_path), "--database", database, *given, cwd=tmp_path, expect=2)
    (line,) = only_errors(done)
    assert "gone.db: --database: there is no such database" in line
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "gone.db").exists()


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        database = f"sqlite:///{tmp_path}/s.db"
        done = study("serve", variant(tmp_path), "--port", port, "--database", database, cwd=tmp_path, expect=2)
    assert str(port) in only_errors(done)[0]
    assert "--port" in only_errors(done)[0]
    assert not (tmp_path / "s.db").exists()


def test_a_study_that_requires_claude_says_so_without_a_key(tmp_path):
    path = variant(tmp_path, ('require = "any"', 'require = "claude"'))
    database = f"sqlite:///{tmp_path}/s.db"
    ports = ("--port", free_port(), "--console-port", free_port())
    done = study("serve", path, "--database", database, *ports, cwd=tmp_path, expect=2)
    assert "assistant_policy.require" in only_errors(done)[0]
    assert "ANTHROPIC_API_KEY" in only_errors(done)[0]


@pytest.mark.slow
def test_missing_packs_and_banks_are_all_named_at_once(tmp_path):
    path = variant(tmp_path, ("tasks/trio_timer", "tasks/gone"), ("quizzes/trio", "quizzes/gone"))
    done = study("check", path, cwd=tmp_path, expect=1)
    found = "\n".join(only_errors(done))
    assert "tasks/gone" in found
    assert "quizzes/gone" in found


@pytest.mark.slow
def test_another_studys_database_is_refused(tmp_path):
    database = ("--database", f"sqlite:///{tmp_path}/s.db")
    study("simulate", variant(tmp_path), *database, "--participants", 1, cwd=tmp_path)
    other = variant(tmp_path, ('id = "triolearning"', 'id = "another"'))
    done = study("simulate", other, *database, "--participants", 1, cwd=tmp_path, expect=2)
    assert "triolearning" in only_errors(done)[0]


@pytest.mark.slow  # by default: each pack in tests/sandbox/test_sandbox_grading.py, each bank in tests/content
def test_the_shipped_study_passes_its_own_check(tmp_path):
    report = json.loads(study("check", ROOT / "study.toml", "--json", cwd=tmp_path).stdout)
    assert report["ok"]
    assert len(report["checked"]) == 6


def own_content(folder: Path) -> Path:
    """The shipped study with a copy of its content that a test may change."""
    for name in ("tasks", "quizzes", "assistants"):
        shutil.copytree(ROOT / name, folder / name)
    text = (ROOT / "study.toml").read_text()
    for before, after in LAUNCHABLE:
        text = text.replace(before, after)
    (folder / "study.toml").write_text(text)
    return folder / "study.toml"


FACTS = ("researchers", "ethics", "consent.pay", "consent.risks")


def without_facts(folder: Path) -> Path:
    """A study file whose consent page says nothing of these."""
    text = variant(folder, *LAUNCHABLE).read_text()
    for key in FACTS:
        text, found = re.subn(rf'(?m)^{key.rpartition(".")[2]} = ".*?"', f'{key.rpartition(".")[2]} = " "', text)
        assert found == 1, key
    (folder / "study.toml").write_text(text)
    return folder / "study.toml"


@pytest.mark.slow  # by default: another study that is unfit, above
def test_a_consent_page_that_says_too_little_is_not_launched(tmp_path):
    path = without_facts(tmp_path)
    done = study("launch", path, "--database", f"sqlite:///{tmp_path}/s.db", cwd=tmp_path, expect=2)
    assert tuple(line.split(": ")[2] for line in only_errors(done)) == FACTS
    assert "say the ethics approval and its number" in done.stderr
    assert not (tmp_path / "prereg.json").exists()


@pytest.mark.slow
def test_check_warns_of_facts_that_the_consent_page_lacks_and_of_placeholders(tmp_path):
    for file, words in ((without_facts(tmp_path), "launch refuses it"), (ROOT / "study.toml", "[placeholder]")):
        found = json.loads(study("check", file, "--json", cwd=tmp_path).stdout)
        warned = [warning for warning in found["warnings"] if words in warning]
        assert found["ok"]
        assert {warning.split(":")[0] for warning in warned} >= {"researchers", "ethics", "consent.pay"}


@pytest.mark.slow
def test_an_amendment_cannot_empty_the_consent_page(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE)
    database = ("--database", f"sqlite:///{tmp_path}/s.db")
    launched = study("launch", path, *database, cwd=tmp_path)
    assert launched.stdout.count("[placeholder]") == 3
    without_facts(tmp_path)
    refused = study("amend", path, *database, "--reason", "shorter", cwd=tmp_path, expect=2)
    assert tuple(line.split(": ")[2] for line in only_errors(refused)) == FACTS


@pytest.mark.slow
def test_an_amendment_cannot_bring_a_plan_that_no_data_could_answer(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE)
    database = ("--database", f"sqlite:///{tmp_path}/s.db")
    study("launch", path, *database, cwd=tmp_path)
    path.write_text(path.read_text("utf-8").replace("[analysis]\n", '[analysis]\ncontrol = "placebo"\n', 1), "utf-8")
    refused = study("amend", path, *database, "--reason", "a control", cwd=tmp_path, expect=2)
    (line,) = only_errors(refused)
    assert ": analysis.control: 'placebo' is not an arm; name one of: " in line


@pytest.mark.slow
def test_a_language_without_texts_is_found_by_check_and_keeps_a_study_from_its_launch(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE, ('language = "en"', 'language = "it"'))
    line = f"error: {path}: language: found 'it', but there are no texts for participants in this language; use 'de'"
    assert only_errors(study("check", path, cwd=tmp_path, expect=1))[0].startswith(line)
    done = study("launch", path, "--database", f"sqlite:///{tmp_path}/s.db", cwd=tmp_path, expect=2)
    assert only_errors(done)[0].startswith(line)
    assert not (tmp_path / "prereg.json").exists()


@pytest.mark.slow
def test_an_embedded_assistant_without_notes_is_found_by_check_and_launch(tmp_path):
    path = own_content(tmp_path)
    shutil.rmtree(tmp_path / "tasks/trio_users/notes")
    (tmp_path / "tasks/trio_timer/notes/concepts.md").write_bytes("## Ticks\n\nÜ\n".encode("latin-1"))
    for verb, code in (("check", 1), ("launch", 2)):
        options = [] if verb == "check" else ["--database", f"sqlite:///{tmp_path}/s.db"]
        lines = only_errors(study(verb, path, *options, cwd=tmp_path, expect=code))
        [encoding, missing] = sorted(line for line in lines if "/notes" in line)
        assert "tasks/trio_timer/notes/concepts.md: is not UTF-8 text" in encoding
        assert "tasks/trio_users/notes: there are no notes, but the assistant 'full' answers from them" in missing
        assert "write tasks/trio_users/notes/concepts.md" in missing
    forbidden = path.read_text().replace("allow_embedded = true", "allow_embedded = false")
    path.write_text(forbidden)
    done = study("check", path, cwd=tmp_path, ANTHROPIC_API_KEY="key")
    assert "No problems found." in done.stdout, "with a key, and nothing embedded allowed, notes are not needed"


def test_labels_with_a_byte_order_mark_are_the_labels_without(tmp_path):
    path = variant(tmp_path, *LAUNCHABLE)
    labels = tmp_path / "labels.csv"
    labels.write_bytes("\ufeff7a\r\n7b\r\n".encode())
    database = ("--database", f"sqlite:///{tmp_path}/s.db")
    made = json.loads(study("create-links", path, *database, "--labels", labels, "--json", cwd=tmp_path).stdout)
    assert [entry["label"] for entry in made] == ["7a", "7b"]
    labels.write_bytes("7ä\n".encode("utf-16"))
    done = study("create-links", path, *database, "--labels", labels, cwd=tmp_path, expect=2)
    [line] = only_errors(done)
    assert f"{labels}: is UTF-16 text, found its byte order mark; save it as UTF-8" in line


def test_the_doctor_finds_this_machine_fit(tmp_path):
    done = study("doctor", ROOT / "study.toml", "--json", cwd=tmp_path)
    names = {entry["name"] for entry in json.loads(done.stdout)["findings"]}
    assert {"isolation", "study and database", "assistant", "browser asset", "clock"} <= names


@pytest.mark.slow
def test_the_same_seed_gives_the_same_results(tmp_path):
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        database = ("--database", f"sqlite:///{folder}/s.db")
        study("simulate", ROOT / "study.toml", *database, "--participants", 8, "--seed", 7, cwd=folder)
        study("export", ROOT / "study.toml", *database, "--out", "ds", "--include-simulated", cwd=folder)
        study("export", ROOT / "study.toml", *database, "--out", "again", "--include-simulated", cwd=folder)
        one, two = (sorted((folder / out / "data").iterdir()) for out in ("ds", "again"))
        assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
        study("verify", "ds", cwd=folder)
        study("analyze", "ds", "--out", "an", "--include-simulated", cwd=folder)
        study("analyze", "ds", "--out", "an2", "--include-simulated", cwd=folder)
        assert (folder / "an" / "results.json").read_bytes() == (folder / "an2" / "results.json").read_bytes()
        results = json.loads((folder / "an" / "results.json").read_text())
        made.append([(row["id"], row["estimate"], row["p_value"]) for row in results["estimates"]])
    assert made[0] == made[1]


def test_the_console_stays_on_loopback_unless_an_option_says_otherwise(monkeypatch):
    from typer.testing import CliRunner

    from study_app.cli import app
    from study_app.domain.errors import UserError
    from study_app.web import serving

    asked = []

    def look(host, port, option):
        asked.append(host)
        if option == "--console-port":
            raise UserError("far enough")

    monkeypatch.setattr(serving, "check_port", look)
    for more in ([], ["--console-host", "0.0.0.0"]):
        CliRunner().invoke(app, ["serve", str(ROOT / "study.toml"), "--host", "0.0.0.0", *more])
    assert asked == ["0.0.0.0", "127.0.0.1", "0.0.0.0", "0.0.0.0"]


def test_one_port_for_both_apps_is_refused_before_anything_is_written(tmp_path):
    port = free_port()
    database = f"sqlite:///{tmp_path}/study.db"
    both = ("--port", port, "--console-port", port)
    done = study("serve", ROOT / "study.toml", "--database", database, *both, cwd=tmp_path, expect=2)
    assert only_errors(done) == [
        f"error: --console-port: port {port} is already the participants' port; "
        "choose another, or serve with --no-console"
    ]
    assert not (tmp_path / "study.db").exists()


@pytest.mark.slow
def test_a_console_whose_apps_never_came_up_serves_nothing(tmp_path):
    port = free_port()
    environment = os.environ | {"STUDY_FILE": str(ROOT / "study.toml"), "STUDY_PARENT": str(os.getpid())}
    environment |= {"STUDY_DATABASE_URL": f"sqlite:///{tmp_path}/study.db", "STUDY_VAR": str(tmp_path)}
    command = [sys.executable, "-m", "study_app.web.console_process", "127.0.0.1", str(port)]
    ended = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert not (tmp_path / "study.db").exists()


def test_wrong_values_do_not_hide_what_is_missing_beside_the_file(tmp_path):
    path = variant(
        tmp_path,
        ("minutes = 10", "minutes = -3"),
        ("tasks/trio_timer", "tasks/gone"),
        ("quizzes/trio", "quizzes/gone"),
        ("assistants/full.toml", "assistants/gone.toml"),
    )
    done = study("check", path, cwd=tmp_path, expect=1)
    found = "\n".join(only_errors(done))
    for sign in ("minutes", "tasks/gone", "quizzes/gone", "assistants/gone.toml"):
        assert sign in found, sign
