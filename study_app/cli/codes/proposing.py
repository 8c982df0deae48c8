"""How a codebook is proposed: by groups of words, or by Claude, whose reply is kept next to the draft."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.themes.marks import CODE_ID
from study_app.private_files import write_private

if TYPE_CHECKING:
    from study_app.assistant.coders.interviews import ClaudeInterviewCoder
    from study_app.bootstrap import App
    from study_app.domain.themes.codebook import Codebook
    from study_app.domain.themes.transcripts import InterviewText


def refuse_draft(out: Path, name: str) -> None:
    """Refuse what could not be written, before anybody is asked and anything is drawn."""
    problems = []
    if out.exists():
        problems.append(Problem(str(out), "", "is there already", "name another file with --out"))
    if not out.parent.is_dir():
        problems.append(Problem(str(out), "", "its folder is not there", "make the folder, or name another file"))
    if not re.fullmatch(CODE_ID, name):
        what = "cannot be the id of a codebook"
        problems.append(Problem("--name", name, what, "use small letters, digits and underscores, a letter first"))
    if problems:
        raise ProblemsFound(problems)


def asker(running: App, coder: str) -> ClaudeInterviewCoder | None:
    """Return who proposes and codes with a model; None where rules do."""
    if coder != "claude":
        return None
    from study_app.assistant.coders.interviews import ClaudeInterviewCoder

    return ClaudeInterviewCoder(running.settings.environment)


def proposed(
    half: list[InterviewText], asked: tuple[str, int | None, int], out: Path, claude: ClaudeInterviewCoder | None
) -> tuple[Codebook | None, dict[str, str], dict[str, Any], str]:
    """Return the draft, a comment for each code, what to keep about how it came about, and what is wrong with it.

    A model's reply is written next to the draft, also where no codebook can be read from it.
    """
    name, themes, seed = asked
    if claude is not None:
        proposal = claude.propose(name, half, seed)
        content = json.dumps(proposal.reply, ensure_ascii=False, indent=1).encode()
        digest = hashlib.sha256(content).hexdigest()
        file = out.with_name(f"{out.stem}.reply-{digest[:8]}.json")
        write_private(file, content)
        kept = {key: str(proposal.reply.get(key, ""))[:100] for key in ("id", "model", "stop_reason", "prompt_version")}
        detail = {"read": proposal.read, "seed": seed, "reply": file.name, "sha256": digest, **kept}
        return proposal.book, {}, detail, proposal.fault
    from analysis.themes.induction import LEAST_ANSWERS, draft, induce

    by_language: dict[str, list[str]] = {}
    for each in half:
        by_language.setdefault(each.language, []).extend(each.answers(topic) for topic in each.topics)
    # A language with few answers has no groups to find; its answers are coded by the codebook all the same.
    large = {key: own for key, own in by_language.items() if len(own) >= LEAST_ANSWERS} or by_language
    found = [(language, induce(own, seed=seed, themes=themes)) for language, own in sorted(large.items())]
    book, comments = draft(name, found)
    stability = {language: {str(k): round(v, 3) for k, v in each.stability.items()} for language, each in found}
    return book, comments, {"stability": stability, "seed": seed}, ""
