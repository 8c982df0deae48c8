"""The codebook of interviews: which themes there are, what each means, and the words by which rules find it."""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.text_files import parse_toml
from study_app.domain.themes.marks import CODE_ID

CodeId = Annotated[str, StringConstraints(pattern=rf"^{CODE_ID}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
SEPARATOR = ";"
"""Between the codes of one answer."""
MOST_CODES = 60


def _word(text: str) -> str:
    if not text.strip("* "):
        raise ValueError("a keyword needs letters; write a word, several words, or the beginning of one with * behind")
    if "*" in text.rstrip("*"):
        raise ValueError("* stands at the end of a keyword only")
    return " ".join(text.split())


Keyword = Annotated[str, StringConstraints(max_length=80), AfterValidator(_word)]


class Code(BaseModel):
    """One theme."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: CodeId
    title: Text
    definition: Text
    keywords: tuple[Keyword, ...] = ()
    """Words or phrases by which rules find it, in any of the languages; `*` at the end stands for any ending."""
    topics: tuple[CodeId, ...] = ()
    """Topics of the interview in which it can occur; empty: in all."""
    examples: tuple[Text, ...] = ()


class Codebook(BaseModel):
    """Themes, in the order of the file. Its version names its content: another word in it makes another version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: CodeId
    title: Text = "Themes"
    induced: bool = False
    """It was drawn from a random half of the interviews; then only the other half is estimated from."""
    codes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=MOST_CODES)]

    @model_validator(mode="after")
    def _distinct(self) -> Codebook:
        ids = [code.id for code in self.codes]
        if twice := sorted({each for each in ids if ids.count(each) > 1}):
            raise ValueError(f"the code {twice[0]!r} stands there twice")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the ids of the codes, in order."""
        return tuple(code.id for code in self.codes)

    def canonical(self) -> str:
        """Return the content as one line of JSON, the same for the same content."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """Return the hash of the canonical content, in hex."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    @property
    def version(self) -> str:
        """Return the name under which codings are stored: id and the beginning of the hash."""
        return f"{self.id}-{self.sha256[:12]}"

    def applies(self, code: str, topic: str) -> bool:
        """Return whether a code can occur in a topic."""
        own = next(each for each in self.codes if each.id == code)
        return not own.topics or topic in own.topics

    def of_topic(self, topic: str) -> tuple[Code, ...]:
        """Return the codes that can occur in a topic."""
        return tuple(code for code in self.codes if self.applies(code.id, topic))

    def join(self, codes: Any) -> str:
        """Return codes as a rating's value, in the codebook's order.

        Raises:
            ValueError: a code that the codebook does not have.
        """
        chosen = set(codes)
        if strange := sorted(chosen - set(self.labels)):
            raise ValueError(f"'{strange[0]}' is not a code of {self.version}; use {', '.join(self.labels)}")
        return SEPARATOR.join(label for label in self.labels if label in chosen)


def split(value: object) -> frozenset[str]:
    """Return the codes in a rating's value; none in an empty one."""
    return frozenset(part for part in str(value or "").split(SEPARATOR) if part)


def read_codebook(text: str, name: str = "codebook.toml") -> Codebook:
    """Read a codebook file.

    Args:
        text: TOML.
        name: of the file, for the messages.

    Raises:
        ProblemsFound: every fault of the file, by key.
    """
    try:
        content = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemsFound([Problem(name, "", f"is not TOML: {error}", "correct the line")]) from None
    return codebook_of(content, name)


def codebook_of(content: Any, name: str = "codebook") -> Codebook:
    """Return the codebook in plain values.

    Raises:
        ProblemsFound: every fault, by key.
    """
    try:
        return Codebook.model_validate(content)
    except ValidationError as error:
        raise ProblemsFound(
            [
                Problem(
                    name, ".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, "), "correct it"
                )
                for fault in error.errors()
            ]
        ) from None


def codebook_text(book: Codebook, comments: dict[str, str] | None = None) -> str:
    """Return a codebook as a TOML file that a person edits.

    Args:
        book: what to write.
        comments: lines to put above a code, by its id.
    """
    lines = [f"id = {_quoted(book.id)}", f"title = {_quoted(book.title)}"]
    lines += ["induced = true"] if book.induced else []
    for code in book.codes:
        above = (comments or {}).get(code.id, "")
        lines += ["", *(f"# {line}" for line in above.splitlines()), "[[codes]]"]
        for key, value in code.model_dump(mode="json").items():
            if value:
                shown = f"[{', '.join(map(_quoted, value))}]" if isinstance(value, list) else _quoted(value)
                lines.append(f"{key} = {shown}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # JSON's escapes are those of TOML, but for the character DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
