"""What a new study is, and how its texts become TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from study_app.content.scaffold.lessons import Lesson, import_name, lessons_for
from study_app.content.texts import FOLDER

Design = Literal["parallel", "crossover", "cluster", "waves"]
HELP = ("full", "hints", "socratic", "delayed")
"""Arms beside the one without an assistant, in the order in which `--arms` takes them."""
_PHRASES = Path(__file__).with_name("phrases.toml")
SCHEMA_LINE = "#:schema {up}schemas/{kind}.json\n"


@dataclass(frozen=True)
class NewStudy:
    """What `study new` was asked for."""

    name: str
    arms: int
    library: str
    version: str
    """Of the library; empty where it comes with study-app."""
    language: str
    design: Design
    module: str = ""
    """What programs import, where the library's installed files say so; empty: as its name says."""

    @cached_property
    def phrases(self) -> Mapping[str, Any]:
        """What participants read, in the study's language."""
        known = tomllib.loads(_PHRASES.read_text(encoding="utf-8"))
        return {key: _filled(value, self.library) for key, value in known[self.language].items()}

    @property
    def imported(self) -> str:
        """What programs import."""
        return self.module or import_name(self.library)

    @property
    def helped(self) -> tuple[str, ...]:
        """Arms with an assistant."""
        return HELP[: self.arms - 1]

    @cached_property
    def lessons(self) -> list[Lesson]:
        """A task for each period of a crossover, else one."""
        return lessons_for(self.library, self.imported, self.arms if self.design == "crossover" else 1)


def languages() -> tuple[str, ...]:
    """Languages in which a new study can be written: there are phrases for it, and texts for its pages."""
    written = tomllib.loads(_PHRASES.read_text(encoding="utf-8"))
    return tuple(language for language in written if (FOLDER / f"{language}.toml").is_file())


def _filled(value: Any, library: str) -> Any:
    return value.replace("{library}", library) if isinstance(value, str) else value


def toml_string(text: str) -> str:
    """Return a TOML string of any text."""
    if "\n" in text:
        return '"""\n' + text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '"""'
    return json.dumps(text, ensure_ascii=False)
