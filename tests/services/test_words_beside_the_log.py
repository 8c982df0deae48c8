"""Where the audit log takes words that a person typed: of acts on the study as a whole, of no one participant."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from support.paths import ROOT

OF_THE_STUDY = {
    "services/operation/alert_watch.py": "sentences of the platform",
    "services/operation/anchoring.py": "sentences of the platform",
    "services/operation/head_signing.py": "sentences of the platform",
    "services/operation/isolation_watch.py": "sentences of the platform",
    "services/operation/models/replacing.py": "what the provider said of a model",
    "services/operation/models/kept.py": "how a round of questions to models ended",
    "services/attending/recruiting.py": "why recruitment was paused or went on",
    "services/grading/scoring.py": "the participant's id",
    "services/researcher/lifecycle.py": "why the study was launched, changed, closed, opened",
    "services/researcher/themes/codebooks.py": "who agreed on the codes",
    "cli/life.py": "which models could not be reached",
}
"""File whose entries in the log have a reason -> what it is, so that it holds no participant's words."""


def reasons() -> Iterator[tuple[str, str]]:
    """Each entry of the log whose reason varies: its file and function."""
    for path in sorted((ROOT / "study_app").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for function in ast.walk(ast.parse(text)) if "AuditEntry(" in text or ".audit(" in text else ():
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                why = typed_reason(call)
                if why is not None and not isinstance(why, ast.Constant):
                    yield path.relative_to(ROOT / "study_app").as_posix(), ast.unparse(function)


def typed_reason(call: ast.Call) -> ast.expr | None:
    """What stands as the reason of an entry that a call makes or records."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    place = {"AuditEntry": 3, "audit": 2}.get(name)
    if place is None or (name == "audit" and "ifecycle" not in ast.unparse(call.func)):
        return None
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "why"), None)
    return call.args[place] if place < len(call.args) else named


def test_words_about_one_participant_are_kept_beside_the_log_where_an_erasure_reaches_them():
    found = {file for file, function in reasons() if "add_act(" not in function}
    assert found == set(OF_THE_STUDY)
