"""Old names of modules and classes stay out of the tree; the names that users import are exempt."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD_MODULES = {
    "analysis": ""
    "analyse baseline cells checks coefficient dataset_types descriptives drawing fallback figures flow frame "
    "item_rows load masking methods plain_table plain_values plan plan_check prepared quiz_quality quizzes "
    "randomisation refusals registration results rows scheme scheme_simulation sections simulated_trials styles "
    "subgroups transcripts treatment trial_power validation variables",
    "analysis.estimators": ""
    "assignments clusters columns contract correlations counts designs examples hazards intraclass items "
    "likelihoods linear means newton page proportions ranks rasch replicated restricted_mean scores "
    "studentised_range times",
    "analysis.randomisation": "replicate vector_rules walk",
    "analysis.styles": "figures turntime",
    "study_app": ""
    "anchor_file bots catalogue console content_packs content_study library sealing serving signed_arrival",
    "study_app.bots": ""
    "answering asking batching coding crowd desk pace people programs quizzing running surveying tab typing walk "
    "working",
    "study_app.domain": ""
    "anchors answer_log answer_ratings answering arms budget clusters completion_codes compliance consent dataset "
    "designs durations edits fidelity item_keys items omissions origins panel_ids participant parts pasteboard "
    "patterns plan plan_fit plan_parts protocol provenance quiz_roles reports retyped scoring seal served "
    "short_text styles values",
    "study_app.domain.dataset": "chain records signature stored",
    "study_app.domain.ledger": "shelf",
    "study_app.sandbox": "frames harness inspection landlock lockdown seccomp syscalls",
    "study_app.services": ""
    "account allocate anchoring answer baseline clock_watch coding enrol export fitness grade handing "
    "health help isolation_watch late lifecycle measures measures_answers measures_assistant measures_compliance "
    "measures_fidelity measures_origin measures_periods measures_quiz measures_row measures_styles measures_tasks "
    "measures_time monitor monitor_views observe outlook pack_proofs prereg progsnap2 rating recompute replay "
    "replay_evidence replay_lanes replay_material scoring self_attack session submissions turns verify way work "
    "world",
    "study_app.services.export": "chain_file clusters documents dossiers files manifest masking rows",
    "study_app.services.participant": "places",
    "study_app.services.researcher": "datasets",
    "study_app.services.verify": "derived dossiers log logged opened people registered report",
    "study_app.storage": "grouped place registry unit",
    "study_app.ui": "boards",
    "study_app.ui.boards": "desk people tables",
    "study_app.web": "door",
    "study_app.web.routes": "strangers",
}
"""Package -> modules that once lay in it."""
OLD_NAMES = (
    "Desk Door Dossier HOT Help Opened Outlook Pair Registry ReplayShelf Settled Sighting SqlPlace SqlRegistry "
    "SqlUnit ToCode ToRate Way World has_seen note_sight"
).split()
"""Names of classes and functions that nothing is called any more."""
OLD_WORDS = {
    "mend": r"mend(?:s|ed|ing)?",
    "amid": r"amid(?:st)?",
    "whoever": r"who(?:so)?ever",
    "told": r"told",
    "nobody": r"(?:no|some)body",
    "beside you": r"stands? beside|beside (?:it|you|him|them)",
    "of its own": r"of (?:its|their|his|our) own",
    "in words": r"(?<!word )in words(?=[.,;:\"]|$| for | that )",
    "is no": r"(?<!there )(?:is|are|was|were) no (?!longer|more|less|later|earlier|newer|older|other|one|place)\w+",
}
"""Word that the prose does without -> its forms; each has a plain word in its place."""
VERBATIM = (
    "study_app/assistant/embedded/",
    "tests/assistant/",
    "tests/analysis/",
    "tests/oracles/",
    "tests/sandbox/attacks/",
)
"""Folders that hold what participants write, or what others wrote."""
PROSE = ("study_app", "analysis", "docs", "tests", "benchmarks", "scripts")
PAGES = ("README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md")


@cache
def sources() -> list[tuple[Path, str]]:
    """Every file of code, pages and settings, with its text."""
    found = []
    for top in ("study_app", "analysis", "tests", "benchmarks", "scripts", "docs"):
        for path in sorted((ROOT / top).rglob("*")):
            if (
                path.suffix in (".py", ".md", ".sh", ".toml")
                and path != Path(__file__)
                and "__pycache__" not in path.parts
            ):
                found.append((path, path.read_text(encoding="utf-8")))
    return found


@cache
def prose() -> list[tuple[str, str]]:
    """Every line of code, pages and texts that this project wrote, with its place."""
    found = []
    for path in [
        *(ROOT / name for name in PAGES),
        *(path for top in PROSE for path in sorted((ROOT / top).rglob("*"))),
    ]:
        name = path.relative_to(ROOT).as_posix()
        ours = path.suffix in (".py", ".md", ".toml", ".j2", ".ts", ".html", ".sh") and path != Path(__file__)
        if ours and "node_modules" not in path.parts and not name.startswith(VERBATIM):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                found.append((f"{name}:{number}", line))
    return found


@pytest.mark.parametrize("word", OLD_WORDS)
def test_no_old_word_is_left(word):
    pattern = re.compile(rf"(?<!\w)(?:{OLD_WORDS[word]})(?!\w)", re.IGNORECASE)
    assert [f"{place}: {line.strip()}" for place, line in prose() if pattern.search(line)] == []


def test_no_old_module_name_is_left():
    old = {f"{package}.{name}" for package, names in OLD_MODULES.items() for name in names.split()}
    text = "|".join(sorted(map(re.escape, old), key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w./])(?:{text})(?![\w])")
    files = re.compile(rf"(?<![\w./])(?:{text.replace(re.escape('.'), '/')})(?:/|\.py)")
    # Looking for hundreds of names at each letter takes seconds; so what may be a module of ours is found first.
    ours = re.compile(r"(?<![\w./])(?:study_app|analysis)[./][\w./]*")
    found = {}
    for path, text in sources():
        named = "\n".join(ours.findall(text))
        if old_here := set(pattern.findall(named)) | set(files.findall(named)):
            found[path.relative_to(ROOT).as_posix()] = sorted(old_here)
    assert not found


def test_no_old_module_came_back():
    back = [
        f"{package}.{name}"
        for package, names in OLD_MODULES.items()
        for name in names.split()
        if (ROOT / package.replace(".", "/") / f"{name}.py").exists()
        or (ROOT / package.replace(".", "/") / name / "__init__.py").exists()
    ]
    assert not back


def test_no_old_name_of_a_class_or_function_is_left():
    found = []
    written = re.compile(rf"\b(?:{'|'.join(OLD_NAMES)})\b")
    for path, text in sources():
        if path.suffix == ".py" and written.search(text):
            for node in ast.walk(ast.parse(text)):
                name = getattr(node, "id", None) or (
                    node.name if isinstance(node, ast.ClassDef | ast.FunctionDef) else None
                )
                if name in OLD_NAMES:
                    found.append((path.relative_to(ROOT).as_posix(), node.lineno, name))
    assert not found


def test_no_public_class_is_defined_twice():
    places = defaultdict(list)
    for path, text in sources():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in ("study_app", "analysis"):
            # A class at the top of a module begins its line; only what looks so in two files is parsed.
            for name in set(re.findall(r"^class ([^\W_]\w*)", text, re.MULTILINE)):
                places[name].append((path.relative_to(ROOT).as_posix(), text))
    twice = {}
    for name, files in places.items():
        defining = [file for file, text in files if len(files) > 1 for found in defined_in(text) if found == name]
        if len(defining) > 1:
            twice[name] = defining
    assert twice == {}


@cache
def defined_in(text: str) -> list[str]:
    """Names of the classes at the top of a module."""
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
