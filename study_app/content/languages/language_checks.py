"""Whether participants of each language that a study offers would meet every text in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from study_app.content.library import FolderLibrary
from study_app.content.texts import BESIDE, SOURCE, catalogue, merged
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.localisation.content_texts import OPTIONAL_ENDINGS, assistant_texts, bank_texts, pack_texts
from study_app.domain.localisation.study_texts import NAMES, placeholders, study_texts

_REMEDY = "translate it (study translate drafts it)"


def content_texts(library: FolderLibrary) -> dict[str, str]:
    """Dotted key -> text of everything of a study that participants read, in the study's own language.

    Raises:
        ProblemsFound: a pack, bank or assistant is broken.
    """
    found = study_texts(library.study)
    for folder in library.bank_folders:
        found |= dict(bank_texts(folder, library.bank(folder)))
    for folder in library.pack_folders:
        found |= dict(pack_texts(folder, library.pack(folder)))
    for name, spec in library.specs.items():
        found |= dict(assistant_texts(name, spec))
    return {key: text for key, text in found.items() if text.strip()}


def needed(content: Mapping[str, str]) -> set[str]:
    """Return the keys that a translation cannot leave out."""
    return {key for key in content if key not in NAMES and not key.endswith(OPTIONAL_ENDINGS)}


def language_problems(library: FolderLibrary) -> list[Problem]:
    """Texts that are missing, belong to nothing, or have other placeholders than their source."""
    found: list[Problem] = []
    for language in library.study.offered:
        try:
            there = merged(language, library.own_texts.get(language))
        except ProblemsFound as missing:
            found += [Problem(library.file, "language", each.what, each.remedy) for each in missing.problems]
            continue
        source = catalogue(SOURCE)
        texts, wanted = there.texts, source.texts
        found += _differences(f"{BESIDE}/{language}.toml", "", texts, wanted, set(wanted))
        if language != library.study.language:
            found += _content_problems(library, language)
    return sorted(set(found))


def _content_problems(library: FolderLibrary, language: str) -> Iterator[Problem]:
    file, own = f"{BESIDE}/{language}.toml", library.own_texts.get(language)
    if own is None:
        what = f"there is no such file beside the study, which offers '{language}'"
        yield Problem(file, "", what, f"write it (study translate {language} drafts it)")
        return
    try:
        content = content_texts(library)
    except ProblemsFound:
        return  # Named where the content itself is checked.
    yield from _differences(file, "content.", own.content, content, needed(content))


def _differences(
    file: str, prefix: str, texts: Mapping[str, str], wanted: Mapping[str, str], must: set[str]
) -> Iterator[Problem]:
    # A language may separate thousands by a space that does not break a line: only an empty text is missing.
    for key in sorted(key for key in must if not texts.get(key, "").strip(" \t\n")):
        yield Problem(file, f"{prefix}{key}", "is missing", _REMEDY)
    for key in sorted(texts.keys() - wanted.keys()):
        yield Problem(file, f"{prefix}{key}", "is not a text that participants meet", "remove it or correct its key")
    for key in sorted(texts.keys() & wanted.keys()):
        there, source = placeholders(texts[key]), placeholders(wanted[key])
        if texts[key].strip() and there != source:
            shown = [", ".join(f"{{{name}}}" for name in names) or "none" for names in (there, source)]
            yield Problem(file, f"{prefix}{key}", f"has the placeholders {shown[0]}, not {shown[1]}", "use those")


def review_problems(library: FolderLibrary) -> list[Problem]:
    """Languages without a reviewer who speaks them; the study's own is its authors' to read."""
    return [
        Problem(
            f"{BESIDE}/{language}.toml",
            "reviewed_by",
            "is empty: it should name a speaker of the language who has read its texts",
            'let a speaker read them, then write reviewed_by = "NAME" (at the head of the file)',
        )
        for language in library.study.offered
        if language != library.study.language and not merged(language, library.own_texts.get(language)).reviewed_by
    ]


def coder_warnings(library: FolderLibrary) -> list[str]:
    """Return what `check` says of queries that the plan's coder cannot read."""
    others = [language for language in library.study.offered if language != SOURCE]
    assisted = any(arm.assistant for arm in library.study.arms_met)
    if library.study.analysis.coder != "rules" or not assisted or not others:
        return []
    return [
        f"analysis.coder: the rules read English only, so queries of participants in {', '.join(others)} stay uncoded "
        '(their counts and patterns are missing); say coder = "claude" or "human"'
    ]


def review_warnings(library: FolderLibrary) -> list[str]:
    """Return what `check` and `launch` say of pages in the study's own language without a review."""
    language = library.study.language
    if language == SOURCE or merged(language, library.own_texts.get(language)).reviewed_by:
        return []
    return [
        f"language: the pages' texts in '{language}' are a draft that no speaker has reviewed; read them, change what "
        f"is wrong in {BESIDE}/{language}.toml, and name the reader there as reviewed_by"
    ]
