"""The study file: what it says, and every problem of a broken one at once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from study_app.content.study_file import read_study, validate_study
from study_app.domain.assistants.embedded_sentences import AGENT, FAULTS
from study_app.domain.errors import ProblemsFound
from study_app.domain.sentences import REFUSALS
from study_app.domain.study.consent import consent_warnings
from study_app.domain.study.study import protocol_hash
from study_app.domain.tasks.sentences import VERDICTS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def raw():
    return tomllib.loads((ROOT / "study.toml").read_text())


def problems(raw) -> dict[str, str]:
    with pytest.raises(ProblemsFound) as found:
        validate_study(raw, "study.toml")
    return {problem.key: f"{problem.what}; {problem.remedy}" for problem in found.value.problems}


def stage(raw, name):
    return next(entry for entry in raw["stages"] if entry["id"] == name)


def test_the_shipped_study_is_the_published_design():
    study = read_study(ROOT / "study.toml")
    assert [(arm.id, arm.weight, arm.control) for arm in study.arms] == [("no_ai", 1, True), ("ai", 1, False)]
    assert {s.id: s.minutes for s in study.stages if s.timed} == {"warmup": 10, "tasks": 35, "quiz": 25}
    assert study.recruitment.target_n == 52
    assert study.stages[-2].questions[-1].id == "occupation", "demographics come last"


def test_allocation_comes_after_every_baseline_stage():
    study = read_study(ROOT / "study.toml")
    order = [s.id for s in study.stages]
    assert study.allocation_stage.id == "instructions"
    assert {"eligibility", "background", "warmup"} <= set(order[: order.index("instructions")])


def test_every_problem_is_reported_at_once(raw):
    raw["id"] = "with-hyphen"
    raw["colour"] = "blue"
    stage(raw, "tasks")["minutes"] = -3
    stage(raw, "device")["kind"] = "phone"
    raw["recruitment"]["target_n"] = "many"
    found = problems(raw)
    assert {"id", "colour", "stages.tasks.minutes", "stages.device.kind", "recruitment.target_n"} <= set(found)
    assert all("; " in text for text in found.values())


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda raw: raw["arms"][1].update(assistant="gone"), "arms.ai.assistant"),
        (lambda raw: raw["arms"][1].update(id="no_ai"), "arms"),
        (lambda raw: raw["arms"][1].update(control=True), "arms"),
        (lambda raw: raw["allocation"].update(block_sizes=[3]), "allocation.block_sizes"),
        (lambda raw: raw["allocation"].update(method="stratified_blocks", strata=["shoe_size"]), "allocation.strata"),
        (lambda raw: raw["stages"].pop(0), "stages"),
        (lambda raw: raw["stages"].pop(), "stages"),
        (lambda raw: stage(raw, "quiz").update(id="tasks"), "stages"),
        (lambda raw: stage(raw, "quiz").update(session="later"), "stages.quiz.session"),
        (lambda raw: stage(raw, "quiz").pop("bank"), "stages.quiz"),
        (lambda raw: stage(raw, "tasks").pop("packs"), "stages.tasks"),
        (lambda raw: stage(raw, "background")["questions"][0].update(id="libraries_used"), "stages"),
    ],
)
def test_each_mistake_is_named_by_its_key(raw, change, key):
    change(raw)
    found = problems(raw)
    assert any(name == key or name.startswith(f"{key}.") for name in found), found


def test_a_stage_that_depends_on_an_unsaved_variable_cannot_stratify(raw):
    raw["allocation"] = {"method": "stratified_blocks", "strata": ["learned"]}
    assert "allocation.strata" in problems(raw), "an exit question is not known before allocation"


def test_every_text_on_the_consent_page_that_is_still_marked_is_warned_of(raw):
    raw |= {"contact": "[placeholder] us", "researchers": "We", "ethics": "[placeholder] 1"}
    raw["consent"] |= {"pay": "None.", "risks": "None."}
    warned = [line.split(":")[0] for line in consent_warnings(validate_study(raw, "study.toml"))]
    assert warned == ["contact", "ethics"]


def test_a_study_may_have_many_arms_weights_packs_banks_and_sessions(raw):
    raw["arms"].append({"id": "hints", "weight": 2, "assistant": "full", "instructions": "x"})
    raw["allocation"] = {"method": "permuted_blocks"}
    raw["sessions"].append({"id": "retention", "delay_days": 28})
    later = {"id": "quiz_later", "kind": "quiz", "bank": "quizzes/trio_b", "minutes": 25, "session": "retention"}
    raw["stages"].insert(-1, later)
    raw["stages"][-1]["session"] = "retention"
    study = validate_study(raw, "study.toml")
    assert study.delay_before(study.stage("quiz_later")) == 28
    assert study.delay_before(study.stage("quiz")) == 0
    before = study.stages[study.stages.index(study.stage("quiz_later")) - 1]
    assert study.next_stage(before.id) == study.stage("quiz_later")
    assert study.straight_after(before.id) is None, (
        "no page says that the clock of a later session starts on leaving it"
    )
    assert study.straight_after(study.stages[0].id) == study.stages[1]
    assert sum(arm.weight for arm in study.arms) == 4


def test_the_hash_changes_with_the_study_and_with_every_file_it_names(raw):
    study = validate_study(raw, "study.toml")
    first = protocol_hash(study, {"a": "1"})
    assert first == protocol_hash(validate_study(raw, "other name"), {"a": "1"})
    assert first != protocol_hash(study, {"a": "2"})
    raw["title"] += "!"
    assert first != protocol_hash(validate_study(raw, "study.toml"), {"a": "1"})


@pytest.mark.parametrize("content", [b"\xff\xfe", b"id = ", b""])
def test_a_file_that_is_no_study_is_refused_with_a_reason(tmp_path, content):
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    with pytest.raises(ProblemsFound, match="study.toml"):
        read_study(path)


def test_every_text_of_the_catalogue_is_used_and_every_used_text_is_there():
    from study_app.content.texts import catalogue

    texts = catalogue("en").keys()
    source = "\n".join(path.read_text() for path in (ROOT / "study_app").rglob("*.py"))
    tables = (REFUSALS, VERDICTS, FAULTS, AGENT)
    made = {key for sentences in tables for key in sentences.texts()}
    assert made == {key for key in texts if key.startswith(tuple(f"{each.table}." for each in tables))}
    quoted = {word for _, word in re.findall(r"""(["'])([\w.-]+)(?=\1)""", source)}
    # Two readers take a whole table and then the keys in it.
    whole = ("embedded.", "figures.")
    used = {key for key in texts if key in quoted or (key.startswith(whole) and key.partition(".")[2] in quoted)}
    composed = ("workspace.", "page.", "form.", "assistant.", "run.", "end.", "expired.", "consent.", "numbers.")
    assert {key for key in texts - made if not key.startswith(composed)} == {
        key for key in used - made if not key.startswith(composed)
    }
    asked = set(re.findall(r"""\btext\(["']([a-z_]+\.[a-z_.]+)["']""", source))
    assert asked <= texts


def test_problems_between_tables_are_found_beside_those_within_one(raw):
    stage(raw, "tasks")["minutes"] = -3
    raw["arms"][1]["assistant"] = "gone"
    raw["recruitment"]["target_n"] = "many"
    found = problems(raw)
    assert {"stages.tasks.minutes", "arms.ai.assistant", "recruitment.target_n"} <= set(found)
    assert len(found) == 3, found
