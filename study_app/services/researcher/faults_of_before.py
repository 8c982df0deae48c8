"""What the locked version has against it already: rules that came since then keep no amendment of a trial back.

To follow such a rule in a running trial can do more harm than the fault: a pack under another name is another task for
everybody who comes from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.errors import Problem
from study_app.domain.study.contradictions.everything import contradictions
from study_app.domain.study.study import Study
from study_app.services.researcher.fitness import linked_folder_problems, pack_name_problems


def faults_of_before(
    locked: Study,
    materials: Mapping[str, str],
    study: Study,
    content: ContentLibrary,
    file: str,
    *,
    links: Collection[str] | None,
) -> list[Problem]:
    """Return the findings about a study that its locked version shares.

    Args:
        locked: that version.
        materials: its files, path -> SHA-256.
        study: as it is now.
        content: as it is now.
        file: for the messages.
        links: to folders, that it had when it was locked; None where that was not written down.
    """
    return [
        *contradictions(locked, file),
        *_links(locked, materials, content, links),
        *_names(materials, study, content, file),
    ]


def _links(
    locked: Study, materials: Mapping[str, str], content: ContentLibrary, links: Collection[str] | None
) -> Iterator[Problem]:
    """Yield links in folders that the version names; not those in whose place it has files, nor any that came since."""
    named = [_named(path) for _key, path in locked.content_paths()]
    for problem in linked_folder_problems(content):
        link = problem.file
        if links is not None and link not in links:
            continue
        if any(link.startswith(folder + "/") for folder in named) and not _files(link, materials):
            yield problem


def _names(materials: Mapping[str, str], study: Study, content: ContentLibrary, file: str) -> Iterator[Problem]:
    """Yield names of packs of which the version has at least one file as it is now."""
    now = content.materials()
    for folder in study.pack_folders:
        if any(now.get(path) == materials[path] for path in _files(_named(folder), materials)):
            yield from pack_name_problems(study, content, file, folder)


def _files(folder: str, materials: Mapping[str, str]) -> list[str]:
    return [path for path in materials if path.startswith(folder + "/")]


def _named(folder: str) -> str:
    """Return a folder as the materials name it."""
    return PurePosixPath(folder).as_posix()
