"""`study translate`: a draft of a language file, and its translation back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study_app.cli.common import STUDY, AsJson, StudyFile, app, command, say, say_json
from study_app.content.languages.language_checks import content_texts
from study_app.content.languages.language_files import as_toml, side_by_side
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.content.texts import BESIDE, SOURCE, TextFile, catalogue, read_texts, shipped
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.localisation.content_texts import OPTIONAL_ENDINGS
from study_app.domain.localisation.study_texts import NAMES
from study_app.domain.study.study import Study


@app.command()
@command
def translate(
    language: Annotated[str, typer.Argument(metavar="LANG", help="Language code, such as de.")],
    study: StudyFile = STUDY,
    empty: Annotated[
        bool, typer.Option("--empty", help="Write the file with empty texts, without Claude.", envvar="STUDY_EMPTY")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Draft the texts that a language lacks with Claude, and translate them back for the reviewer.

    Example: study translate de study.toml
    """
    trial = read_study(study)
    _check_language(language, trial, study)
    library = FolderLibrary(trial, study.resolve().parent, str(study))
    path = library.root / BESIDE / f"{language}.toml"
    there = read_texts(path, f"{BESIDE}/{language}.toml") if path.is_file() else TextFile(f"{BESIDE}/{language}.toml")
    pages, content = _missing_pages(language, there), _missing_content(library, language, there)
    missing = pages | content
    drafts, back = ({}, {}) if empty or not missing else _drafted(pages, content, trial.language, language)
    written = {key: drafts.get(key, "") for key in missing} if empty else drafts
    if written:
        base = shipped(language)
        name = there.name or (base.name if base else "")
        kept = dict(there.pages) | {f"content.{key}": text for key, text in there.content.items()}
        path.parent.mkdir(exist_ok=True)
        title = f"Texts in '{language}'; drafted by Claude where a person has not written them."
        # The earlier reviewer has not seen what changed.
        path.write_text(as_toml(title, name, "", _in_order(kept | written)), "utf-8")
        if drafts:
            path.with_suffix(".back.md").write_text(side_by_side(missing, drafts, back), "utf-8")
    left = sorted(key for key in missing if not written.get(key))
    if as_json:
        say_json({"file": str(path), "drafted": len(drafts), "left_empty": left, "reviewed_by": ""})
        return
    say(f"{path}: {len(drafts)} texts drafted, {len(left)} left empty, {len(kept) if written else 0} kept.")
    if drafts:
        say(f"{path.with_suffix('.back.md')}: source, draft and translation back, for a speaker to read.")
        say('When a speaker has read every text, write their name into reviewed_by; "study launch" asks for it.')


def _check_language(language: str, trial: Study, file: Path) -> None:
    if language == SOURCE and trial.language == SOURCE:
        what = "the study and its pages are written in it"
        raise ProblemsFound([Problem(str(file), "language", f"'{language}': {what}", "name another language")])
    if not language.replace("-", "").isalpha() or not language.isascii() or len(language) > 12:
        remedy = "use a code such as de, es, fr or pt-br"
        raise ProblemsFound([Problem(str(file), "languages", f"'{language}' is not a language's code", remedy)])


def _missing_pages(language: str, there: TextFile) -> dict[str, str]:
    base = shipped(language)
    known = dict(base.pages if base else {}) | dict(there.pages)
    return {key: text for key, text in catalogue(SOURCE).texts.items() if not known.get(key, "").strip()}


def _missing_content(library: FolderLibrary, language: str, there: TextFile) -> dict[str, str]:
    if language == library.study.language:
        return {}
    return {
        f"content.{key}": text
        for key, text in content_texts(library).items()
        if key not in NAMES and not key.endswith(OPTIONAL_ENDINGS[:2]) and not there.content.get(key, "").strip()
    }


def _drafted(
    pages: dict[str, str], content: dict[str, str], source: str, language: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Drafts and their translations back, by key; the pages' source is English, the study's its own language."""
    # Every command imports this module, and few need the client.
    from study_app.assistant.translating import Translator

    translator = Translator()
    drafts: dict[str, str] = {}
    back: dict[str, str] = {}
    for texts, origin in ((pages, SOURCE), (content, source)):
        if texts:
            made = translator.translate(texts, origin, language)
            drafts |= made
            back |= translator.translate(made, language, origin)
    return drafts, back


def _in_order(texts: dict[str, str]) -> dict[str, str]:
    """Tables in the order of the pages' source, the study's own at the end."""
    order = {key: place for place, key in enumerate(catalogue(SOURCE).texts)}
    return dict(sorted(texts.items(), key=lambda one: (order.get(one[0], len(order)), one[0])))
