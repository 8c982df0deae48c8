import functools
import json
import re
from pathlib import Path

import pytest

from study_app.content.item_banks import check_bank, load_bank, load_keys, public_json
from study_app.content.study_file import read_study
from study_app.content.task_packs import load_pack
from study_app.domain.errors import ProblemsFound
from study_app.domain.quiz.scoring import correct_response, quiz_total, score, wrong_response
from study_app.domain.tasks.programs import Program, RunLimits
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options

QUIZZES = Path(__file__).parents[2] / "quizzes"
BANKS = sorted(folder for folder in QUIZZES.iterdir() if (folder / "bank.toml").exists())
TRIO_CONCEPTS = {
    "async_await",
    "coroutines",
    "error_handling",
    "nurseries",
    "sequential_concurrent",
    "starting_functions",
    "task_results",
    "time_limits",
}


@functools.cache
def sandbox():
    """The sandbox with the banks' packages imported once: what scores participants' answers."""
    return LocalSandbox(Options(bubblewrap=False))


@functools.cache
def run(program):
    limits = RunLimits(wall_seconds=60, cpu_seconds=60)
    return sandbox().run(Program(program, packages=("trio", "sortedcontainers"), limits=limits)).stdout


@pytest.fixture(
    params=[pytest.param(bank, marks=pytest.mark.slow) if bank.name.endswith("_b") else bank for bank in BANKS],
    ids=lambda folder: folder.name,
)
def folder(request):
    return request.param


def test_a_shipped_bank_is_sound_and_real_runs_prove_its_keys(folder):
    assert [str(problem) for problem in check_bank(folder, run)] == []


def test_full_answers_earn_all_points_of_every_form_and_wrong_ones_none(folder):
    bank = load_bank(folder)
    keys = load_keys(folder, bank)
    for form in bank.forms:
        items = bank.items_of(form.id)
        for answer, points in ((correct_response, bank.points), (wrong_response, 0)):
            scores = {item.id: score(item, keys[item.id], answer(item, keys[item.id]), run) for item in items}
            total = quiz_total(items, {name: found.points for name, found in scores.items()})
            assert (total.points, total.max_points) == (pytest.approx(points), bank.points)


def test_picking_every_option_earns_less_than_half_of_a_multiple_selection(folder):
    bank = load_bank(folder)
    keys = load_keys(folder, bank)
    for item in bank.items:
        if item.kind == "multiple_select":
            everything = [option.id for option in item.options]
            assert score(item, keys[item.id], everything).points < item.points / 2, item.id


def test_no_option_s_place_gives_the_answer_away(folder):
    bank = load_bank(folder)
    keys = load_keys(folder, bank)
    for form in bank.forms:
        singles = [item for item in bank.items_of(form.id) if item.kind == "single_choice"]
        places = [[option.id for option in item.options].index(keys[item.id].correct[0]) for item in singles]
        assert len(set(places)) >= min(3, len(singles))


def test_the_public_half_opens_without_keys_and_shows_none(folder, tmp_path):
    copy = copy_bank(folder, tmp_path)
    for path in (copy / "keys").iterdir():
        path.unlink()
    text = public_json(load_bank(copy))
    for item in json.loads(text)["items"]:
        assert set(item) <= {
            *("id", "type", "kind", "concept", "task", "points", "prompt", "code", "starter", "options", "rows"),
            "family",
        }
        assert all(set(option) == {"id", "text"} for option in item.get("options", ()))
    bank = load_bank(folder)
    keys = load_keys(folder, bank)
    assert text == public_json(bank)
    for item in bank.items:
        key = keys[item.id]
        secrets = [
            key.why,
            key.run if key.run != "{code}" else "",
            *getattr(key, "wrong", ()),
            getattr(key, "solution", ""),
        ]
        secrets += [check.program for check in getattr(key, "checks", ())]
        assert not [
            secret for secret in secrets if secret and json.dumps(secret.strip(), ensure_ascii=False)[1:-1] in text
        ]
    assert "correct" not in repr(keys)


def test_parallel_forms_share_their_blueprint(folder):
    bank = load_bank(folder)
    blueprints = [sorted(map(blueprint, bank.items_of(form.id))) for form in bank.forms]
    assert all(found == blueprints[0] for found in blueprints)


@pytest.mark.parametrize("name", ["trio", "trio_b"])
def test_the_trio_bank_has_14_items_worth_27_points_over_what_the_tasks_practise(name):
    items = [item for item in load_bank(QUIZZES / name).items_of() if item.type != "attention_check"]
    assert (len(items), sum(item.points for item in items)) == (14, 27)
    assert {item.concept for item in items} == TRIO_CONCEPTS
    assert {item.type for item in items} == {"conceptual", "code_reading", "debugging"}
    assert {item.kind for item in items} == {"single_choice", "multiple_select", "short_text", "code"}
    assert {item.task for item in items} == {"trio_timer", "trio_users"}
    practised = [load_pack(QUIZZES.parent / "tasks" / task).settings.concepts for task in ("trio_timer", "trio_users")]
    assert {item.concept for item in items} <= set().union(*practised)


@pytest.mark.parametrize("name", ["trio", "trio_b"])
def test_each_trio_form_has_one_attention_check_without_points_that_says_what_to_choose(name):
    bank = load_bank(QUIZZES / name)
    keys = load_keys(QUIZZES / name, bank)
    [item] = [item for item in bank.items if item.type == "attention_check"]
    right = next(option for option in item.options if option.id == keys[item.id].correct[0])
    assert item.points == 0
    assert f"choose **{right.text}**" in item.prompt
    assert score(item, keys[item.id], right.id).correct
    assert [option for option in item.options if option.text in item.prompt] == [right]


@pytest.mark.parametrize("name", ["trio", "trio_b"])
def test_the_intro_of_the_shipped_quiz_tells_the_truth_about_its_size_and_about_guessing(name):
    study = read_study(QUIZZES.parent / "study.toml")
    intro = next(stage.intro for stage in study.stages if stage.id == "quiz")
    bank = load_bank(QUIZZES / name)
    assert "There are 15 questions on 7 pages" in bank.filled(intro)
    keys = load_keys(QUIZZES / name, bank)
    for item in bank.items:
        worst = wrong_response(item, keys[item.id])
        assert score(item, keys[item.id], worst, run).points == 0
        if item.kind == "multiple_select":
            right = list(keys[item.id].correct)
            one_wrong = score(item, keys[item.id], [*right, *worst]).points
            assert one_wrong == item.points - 0.5, "each wrong choice costs half a point"


def test_every_key_is_proven_by_a_run(folder):
    bank = load_bank(folder)
    keys = load_keys(folder, bank)
    unproven = [item.id for item in bank.items if not (keys[item.id].run or getattr(keys[item.id], "checks", ()))]
    assert unproven == []


def test_no_program_shows_line_numbers_as_comments(folder):
    shown = [text for item in load_bank(folder).items for text in (item.code, item.starter)]
    assert not [text for text in shown if re.search(r"#\s*\d+\s*$", text, re.MULTILINE)]


def test_the_retention_form_is_parallel_to_the_first_and_repeats_no_question():
    first, second = (load_bank(QUIZZES / name).items_of() for name in ("trio", "trio_b"))
    assert [blueprint(item) for item in first] == [blueprint(item) for item in second]
    shown = [{(item.prompt, item.code, item.starter, item.options) for item in items} for items in (first, second)]
    assert not shown[0] & shown[1]


def blueprint(item):
    return (item.family, item.type, item.kind, item.concept, item.task, item.points, len(item.options))


def copy_bank(folder, tmp_path):
    copy = tmp_path / folder.name
    for path in folder.rglob("*.toml"):
        target = copy / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return copy


BREAKS = [
    (
        "bank.toml",
        "points = 27",
        "points = 26",
        "bank.toml: forms.a.pages: the items are worth 27 points, the bank says 26",
    ),
    ("bank.toml", '"pause", ', "", "bank.toml: forms: item 'pause' is on no page"),
    ("bank.toml", '"pause", ', '"pause", "pause", ', "bank.toml: forms.a.pages: item 'pause' is there twice"),
    ("bank.toml", '"pause", ', '"pauze", ', "bank.toml: forms.a.pages: there is no item 'pauze'"),
    ("bank.toml", "pages = [\n", "page = [\n", "bank.toml: forms.1.pages: is missing"),
    ("bank.toml", 'id = "trio"', 'id = "duo"', "bank.toml: id: 'duo' is not the folder's name"),
    ("bank.toml", "[concepts]", "[concepts", "bank.toml: is not TOML"),
    (
        "bank.toml",
        'nurseries = "',
        'gardens = "',
        "items/block_end.toml: concept: 'nurseries' is not a concept of the bank",
    ),
    ("items/pause.toml", 'type = "conceptual"', 'type = "trivia"', "items/pause.toml: type: found 'trivia'"),
    ("items/pause.toml", "points = 1", "points = 0", "items/pause.toml: points: a scored item is worth nothing"),
    ("items/pause.toml", "points = 1", 'points = "1"', "items/pause.toml: points: found '1'"),
    ("items/pause.toml", 'id = "pause"', 'id = "ping"', "items/pause.toml: id: 'ping' is there twice"),
    ("items/pause.toml", 'id = "b"', 'id = "a"', "items/pause.toml: options: option 'a' is there twice"),
    ("items/pause.toml", "prompt =", "promt =", "items/pause.toml: promt: is not a known key"),
    ("items/pause.toml", 'task = "trio_timer"', 'task = "x"', "items/pause.toml: task: 'x' is not a task of the bank"),
    (
        "items/pause.toml",
        '"conceptual"',
        '"code_reading"',
        "items/pause.toml: code: a code_reading item shows no program",
    ),
    ("items/pause.toml", '"conceptual"', '"attention_check"', "items/pause.toml: points: an attention check scores no"),
    ("keys/pause.toml", 'correct = ["a"]', 'correct = ["z"]', "keys/pause.toml: correct: there is no option 'z'"),
    ("keys/pause.toml", 'correct = ["a"]', 'correct = ["a", "b"]', "keys/pause.toml: correct: found 2 options"),
    ("keys/pause.toml", 'correct = ["a"]', "", "keys/pause.toml: correct: is missing"),
    ("keys/pause.toml", None, None, "keys/pause.toml: is missing"),
    ("keys/ping.toml", "run = '{code}'", "", "keys/ping.toml: run: no program verifies this code_reading item"),
    ("keys/ping.toml", 'correct = ["c"]', 'correct = ["b"]', "keys/ping.toml: run: the real run gives 'start\\nstop'"),
    ("keys/elapsed.toml", "number = 7", "number = 8", "keys/elapsed.toml: run: the real run gives '7'"),
    ("keys/elapsed.toml", "number = 7", 'number = 7\ntext = "7"', "keys/elapsed.toml: accept.1: needs exactly one"),
    (
        "keys/elapsed.toml",
        "number = 7",
        "number = 7\npoints = 1",
        "keys/elapsed.toml: accept: no accepted answer earns all",
    ),
    (
        "keys/elapsed.toml",
        "number = 7",
        'regex = "("',
        "keys/elapsed.toml: accept.1.regex: is not a valid regular expression",
    ),
    ("keys/elapsed.toml", "number = 7", 'regex = "7"', "keys/elapsed.toml: accept.1.example: is missing"),
    ("keys/collect.toml", "points = 1", "points = 2", "keys/collect.toml: checks: are worth 4 points, the item 3"),
    (
        "keys/collect.toml",
        "    {answer}\n",
        "    pass\n",
        "keys/collect.toml: checks.1.program: does not hold {answer}",
    ),
    ("keys/collect.toml", "(8, 92)", "(8, 93)", "keys/collect.toml: solution: does not earn all points"),
    ("keys/job.toml", '"e"]', '"e", "a", "c", "d", "f"]', "keys/job.toml: correct: 6 of 6 options are right"),
]


@pytest.mark.parametrize(("name", "old", "new", "expected"), BREAKS)
def test_each_mistake_is_named_with_file_and_key(tmp_path, monkeypatch, name, old, new, expected):
    copy_bank(QUIZZES / "trio", tmp_path)
    monkeypatch.chdir(tmp_path)
    path = Path("trio") / name
    text = path.read_text()
    if old is None:
        path.unlink()
    else:
        assert old in text
        path.write_text(text.replace(old, new, 1))
    problems = check_bank(Path("trio"), run if "run:" in expected or "solution:" in expected else None)
    assert any(str(problem).startswith(f"trio/{expected}") for problem in problems), problems
    assert all(problem.remedy for problem in problems)


def test_all_problems_come_at_once_and_in_a_fixed_order(tmp_path):
    copy = copy_bank(QUIZZES / "trio", tmp_path)
    for name in ("ping", "pause"):
        path = copy / "items" / f"{name}.toml"
        path.write_text(path.read_text().replace("points = 1", "points = -1\ncolour = 3"))
    (copy / "keys" / "job.toml").write_bytes(b"\xff\xfe")
    problems = check_bank(copy)
    assert [(Path(problem.file).stem, problem.key) for problem in problems] == [
        ("pause", "colour"),
        ("pause", "points"),
        ("ping", "colour"),
        ("ping", "points"),
        ("job", ""),
    ]
    with pytest.raises(ProblemsFound) as caught:
        load_bank(copy)
    assert len(caught.value.problems) == 4


def test_a_key_without_an_item_is_one_too_many(tmp_path):
    copy = copy_bank(QUIZZES / "trio", tmp_path)
    (copy / "keys" / "stray.toml").write_text('correct = ["a"]')
    assert [str(problem) for problem in check_bank(copy)] == [
        f"{copy}/keys/stray.toml: there is no item 'stray'; delete it or add the item"
    ]


def test_a_folder_that_is_not_there_is_one_plain_problem(tmp_path):
    with pytest.raises(ProblemsFound, match="nowhere/bank.toml: is missing; add it"):
        load_bank(tmp_path / "nowhere")
