"""How a study file names its content: one spelling for each path, one name for each pack and bank."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from study_app.domain.content.content_paths import alike, name_of, spelled
from study_app.domain.study.contradictions.kinds import Finding
from study_app.domain.study.study import Study


def named_content_problems(study: Study) -> Iterator[Finding]:
    """Yield paths in another spelling than the one that counts, and names that two packs or two banks share."""
    for key, path in study.content_paths():
        yield from path_problems(key, path)
    packs = [(f"stages.{stage.id}.packs", folder) for stage in study.stages for folder in stage.packs]
    packs += [(f"arms.{arm.id}.variants.{task}", path) for arm in study.arms for task, path in arm.variants.items()]
    yield from _shared_names(packs, "programs, briefs and their translations are kept by that name")
    banks = [(f"stages.{stage.id}.bank", stage.bank) for stage in study.stages if stage.bank]
    yield from _shared_names(banks, "items, their translations and the files of a dataset are kept by that name")


def path_problems(key: str, path: str) -> Iterator[Finding]:
    """Yield what is wrong with the spelling of a path, which the study's hash and its tables take letter by letter."""
    right = spelled(path)
    if right == path:
        return
    if not right:
        yield key, f"{path!r} ends in no name", "name the folder or file itself, such as tasks/warmup"
    elif right == path.replace("\\", "/"):
        yield key, f"{path!r} has backslashes, which only Windows takes for folders", f"write {right!r}"
    elif right == unicodedata.normalize("NFC", path):
        remedy = f"write {right!r} in composed letters (Unicode NFC), and rename what it names alike"
        yield key, f"{path!r} has letters whose accents are separate characters", remedy
    else:
        what = f"{path!r} is a second spelling of {right!r}: files and rows are kept by the text of a path"
        yield key, what, f"write {right!r}, without a slash at the end, double slashes or '.' and '..' between"


def _shared_names(named: Iterable[tuple[str, str]], kept: str) -> Iterator[Finding]:
    """Two folders of one name, or of two that some disks take for one."""
    folders: dict[str, str] = {}
    for key, folder in named:
        right = spelled(folder)
        first = folders.setdefault(alike(name_of(right)), right)
        if right and first != right:
            name = name_of(right)
            yield key, f"{folder} and {first} are both called '{name}', and {kept}", "rename the folder of one of them"
