"""The study's content, opened once: task packs, item banks and assistants, with a hash of all a person meets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from study_app.content.content_files import content_files, linked_below
from study_app.content.item_banks import load_bank, load_keys, public_json
from study_app.content.requirements import Requirements, requirements_of
from study_app.content.task_packs import load_pack
from study_app.content.texts import FOLDER, TextFile, own_texts
from study_app.content.treatments.personas import read_personas, spoken
from study_app.domain.assistants.personas import Persona
from study_app.domain.assistants.treatments import AssistantSpec, adapted, read_assistant
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.interviews.plan import InterviewPlan, read_plan
from study_app.domain.quiz.items import Bank
from study_app.domain.quiz.keys import Keys
from study_app.domain.study.interviewing.placement import plan_problems
from study_app.domain.study.study import Study, protocol_hash
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.text_files import decode_text


class FolderLibrary:
    """ports.ContentLibrary over the folders that a study file names.

    Args:
        study: the study.
        root: the study file's folder; paths in the file are relative to it.
        file: the study file as the user named it, for messages.
    """

    def __init__(self, study: Study, root: Path, file: str) -> None:
        self.study = study
        self.root = root
        self.file = file
        self._packs: dict[str, TaskPack] = {}
        self._banks: dict[str, Bank] = {}
        self._keys: dict[str, Keys] = {}
        self._plans: dict[str, InterviewPlan] = {}
        self._hidden_folders = False

    def open(self) -> None:
        """Read everything.

        Raises:
            ProblemsFound: every problem of every pack, bank and assistant.
        """
        problems: list[Problem] = []
        readers: list[tuple[Callable[[str], object], str]] = [(self.pack, folder) for folder in self.pack_folders]
        readers += [(self.keys, folder) for folder in self.bank_folders]
        readers += [(self.plan, file) for file in self.plan_files]
        for read, folder in readers:
            try:
                read(folder)
            except ProblemsFound as found:
                problems += found.problems
        try:
            _ = self.requirements
        except ProblemsFound as found:
            problems += found.problems
        try:
            _ = self.specs
        except ProblemsFound as found:
            problems += found.problems
        if problems:
            raise ProblemsFound(sorted(set(problems)))

    def at(self, path: str) -> Path:
        """Return where a path of the study lies."""
        return self.root / path

    @property
    def pack_folders(self) -> tuple[str, ...]:
        """Folders of task packs, as the study names them, each once."""
        return self.study.pack_folders

    @property
    def bank_folders(self) -> tuple[str, ...]:
        """Folders of item banks, as the study names them, each once."""
        return tuple(dict.fromkeys(stage.bank for stage in self.study.stages if stage.bank))

    def pack(self, folder: str) -> TaskPack:
        """Return a task pack.

        Raises:
            ProblemsFound: it is missing or broken.
        """
        if folder not in self._packs:
            self._packs[folder] = load_pack(self._there(folder, "packs"))
        return self._packs[folder]

    def bank(self, folder: str) -> Bank:
        """Return the public half of an item bank.

        Raises:
            ProblemsFound: it is missing or broken, or has not a form that a quiz names.
        """
        if folder not in self._banks:
            bank = load_bank(self._there(folder, "bank"))
            if unknown := self._unknown_forms(folder, bank):
                raise ProblemsFound(unknown)
            self._banks[folder] = bank
        return self._banks[folder]

    def _unknown_forms(self, folder: str, bank: Bank) -> list[Problem]:
        forms = [form.id for form in bank.forms]
        return [
            Problem(
                self.file,
                f"stages.{stage.id}.form",
                f"{folder} has no form '{stage.form}'",
                f"use one of: {', '.join(forms)}",
            )
            for stage in self.study.stages
            if stage.bank == folder and stage.form and stage.form not in forms
        ]

    def keys(self, folder: str) -> Keys:
        """Return the keys of an item bank.

        Raises:
            ProblemsFound: they are missing or broken.
        """
        if folder not in self._keys:
            self._keys[folder] = load_keys(self.at(folder), self.bank(folder))
        return self._keys[folder]

    @property
    def plan_files(self) -> tuple[str, ...]:
        """Plans of interviews, as the study names them, each once."""
        return tuple(dict.fromkeys(stage.plan for stage in self.study.stages if stage.plan))

    def plan(self, file: str) -> InterviewPlan:
        """Return the plan of an interview.

        Raises:
            ProblemsFound: it is missing or broken, or does not fit the study.
        """
        if file not in self._plans:
            self._plans[file] = self._read_plan(file)
        return self._plans[file]

    @property
    def plans(self) -> dict[str, InterviewPlan]:
        """Plans of interviews by their files, as messages name these.

        Raises:
            ProblemsFound: one is missing or broken, or does not fit the study.
        """
        return {str(self.at(file)): self.plan(file) for file in self.plan_files}

    def _read_plan(self, file: str) -> InterviewPlan:
        path = self.at(file)
        stages = [each for each in self.study.stages if each.plan == file]
        try:
            plan = read_plan(decode_text(path.read_bytes(), str(path)), str(path))
        except OSError as error:
            what = f"{file} cannot be read ({error.strerror})"
            remedy = "name the plan's file, such as interviews/exit.toml"
            # No stage names the plan of an earlier version.
            key = f"stages.{stages[0].id}.plan" if stages else "stages"
            raise ProblemsFound([Problem(self.file, key, what, remedy)]) from None
        found = [Problem(str(path), *each) for stage in stages for each in plan_problems(plan, self.study, stage)]
        found = list(dict.fromkeys(found))
        if any(other.id == plan.id for other in self._plans.values()):
            what = f"another plan of the study is '{plan.id}', too"
            found.append(Problem(str(path), "id", what, "give each its own"))
        if found:
            raise ProblemsFound(sorted(found))
        return plan

    @cached_property
    def specs(self) -> dict[str, AssistantSpec]:
        """The treatments under [assistants] by the name there, and those that speak as an arm's persona.

        Raises:
            ProblemsFound: a file is missing or broken.
        """
        problems: list[Problem] = []
        specs = {}
        for name, entry in self.study.assistants.items():
            path = self.at(entry.file)
            try:
                spec = read_assistant(decode_text(path.read_bytes(), str(path)), file=str(path))
                specs[name] = adapted(spec, file=self.file, key=f"assistants.{name}", model=entry.model)
            except OSError as error:
                what = f"{entry.file} cannot be read ({error.strerror})"
                problems.append(Problem(self.file, f"assistants.{name}.file", what, "name an assistant's file"))
            except ProblemsFound as found:
                problems += found.problems
        try:
            personas = self.personas
        except ProblemsFound as found:
            problems += found.problems
        if problems:
            raise ProblemsFound(problems)
        return specs | spoken(self.study, specs, personas, self.file)

    @cached_property
    def personas(self) -> dict[str, Persona]:
        """The personas under [personas], by the name there.

        Raises:
            ProblemsFound: a file is missing or broken.
        """
        return read_personas(self.study, self.at, self.file)

    @cached_property
    def requirements(self) -> Requirements | None:
        """The packages that the study brings, None where it names none.

        Raises:
            ProblemsFound: their file is missing.
        """
        return requirements_of(self.study, self.root, self.file)

    @property
    def package_folders(self) -> tuple[str, ...]:
        """Where the study's own packages are, or will be once `study setup` has run; empty where it brings none."""
        return () if self.requirements is None else (str(self.requirements.folder),)

    @property
    def taught_packages(self) -> dict[str, tuple[str, ...]]:
        """File -> import names that its programs use, of every pack and bank that names any.

        Raises:
            ProblemsFound: a pack or bank is broken.
        """
        named = {f"{folder}/task.toml": self.pack(folder).settings.packages for folder in self.pack_folders}
        named |= {f"{folder}/bank.toml": self.bank(folder).packages for folder in self.bank_folders}
        return {file: packages for file, packages in named.items() if packages}

    @cached_property
    def own_texts(self) -> dict[str, TextFile]:
        """The study's own files of texts, by language.

        Raises:
            ProblemsFound: one is broken.
        """
        return own_texts(self.root, self.study.offered)

    def said(self, language: str) -> Mapping[str, str]:
        """See ContentLibrary."""
        if language == self.study.language or language not in self.own_texts:
            return {}
        return self.own_texts[language].content

    def materials(self) -> Mapping[str, str]:
        """Path -> SHA-256 of every file of packs, banks, assistants, recordings and texts."""
        return self._hashes

    def texts(self) -> Mapping[str, str]:
        """Path -> content of those files that are text."""
        found = {}
        for name in self.materials():
            try:
                found[name] = self.at(name).read_bytes().decode("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
        # The database keeps no NUL.
        return {name: text for name, text in found.items() if "\x00" not in text}

    def binaries(self) -> Mapping[str, bytes]:
        """See ContentLibrary."""
        texts = self.texts()
        return {name: self.at(name).read_bytes() for name in self.materials() if name not in texts}

    def hold_to(self, study_hash: str) -> None:
        """Count files in hidden folders, as earlier releases did, where that gives the hash of a locked version."""
        if protocol_hash(self.study, self._hashes) != study_hash:
            earlier = self._hashed(hidden_folders=True)
            if protocol_hash(self.study, earlier) == study_hash:
                self._hashes, self._hidden_folders = earlier, True

    @cached_property
    def _hashes(self) -> dict[str, str]:
        return self._hashed(hidden_folders=False)

    def _hashed(self, *, hidden_folders: bool) -> dict[str, str]:
        folders = [self.root / folder for folder in (*self.pack_folders, *self.bank_folders)]
        files = [path for folder in folders for path in content_files(folder, hidden_folders=hidden_folders)]
        files += [self.root / entry.file for entry in self.study.assistants.values()]
        files += [self.root / entry.file for entry in self.study.personas.values()]
        files += [self.root / recording for recording in self._recordings().values()]
        files += [self.root / plan for plan in self.plan_files]
        files += [self.root / self.study.requirements] if self.study.requirements else []
        files += [self.root / text.file for text in self.own_texts.values()]
        return {self._named(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}

    def linked_folders(self) -> tuple[str, ...]:
        """Return links to folders below packs and banks: what is in them is read, and neither hashed nor kept."""
        folders = [self.root / folder for folder in (*self.pack_folders, *self.bank_folders)]
        links = {link for folder in folders for link in linked_below(folder, hidden_folders=self._hidden_folders)}
        return tuple(sorted(map(self._named, links)))

    def _recordings(self) -> dict[str, str]:
        """Assistant -> the recording that answers for it, or will once its model is retired.

        None where a treatment cannot be read, which `open` says.
        """
        try:
            specs = self.specs
        except ProblemsFound:
            return {}
        stands_in = self.study.assistant_policy.on_retirement == "replay"
        return {
            name: spec.recording
            for name, spec in specs.items()
            if spec.recording and (stands_in or spec.provider == "recorded")
        }

    def _named(self, path: Path) -> str:
        """Return a file as the study's hash names it.

        One that an absolute path names keeps it, so that no two are alike.
        """
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def content_paths(self) -> Iterator[tuple[str, str]]:
        """Yield each path of content that the study file or a treatment names, with its key."""
        yield from self.study.content_paths()
        yield from ((f"assistants.{name}.recording", file) for name, file in self._recordings().items())

    def absolute_paths(self) -> Iterator[tuple[str, str]]:
        """Keys that name content by an absolute path, with that path."""
        yield from ((key, path) for key, path in self.content_paths() if Path(path).is_absolute())

    def files(self) -> Iterable[tuple[str, bytes]]:
        """Return what may be published: the study as canonical JSON and as written, briefs, item texts without keys."""
        yield "study.json", (self.study.canonical() + "\n").encode()
        for folder in self.pack_folders:
            pack = self.pack(folder)
            name = name_of(folder)
            yield f"tasks/{name}/brief.md", pack.brief.encode()
            yield f"tasks/{name}/starter.py", pack.starter.encode()
            if pack.reference:
                yield f"tasks/{name}/reference.md", pack.reference.encode()
        for language in self.study.offered:
            if (shipped := FOLDER / f"{language}.toml").is_file():
                yield f"texts/pages/{language}.toml", shipped.read_bytes()
        for text in self.own_texts.values():
            yield text.file, self.at(text.file).read_bytes()
        for folder in self.bank_folders:
            yield f"quizzes/{name_of(folder)}.json", public_json(self.bank(folder)).encode()
        for file in self.plan_files:
            plan = self.plan(file)
            yield f"interviews/{plan.id}.json", (plan.model_dump_json(indent=1) + "\n").encode()

    def treatments(self) -> Iterable[tuple[str, bytes]]:
        """Return each assistant with prompt, model and parameters, for publication once arms may be shown."""
        for name, spec in self.specs.items():
            yield f"assistants/{name}.json", (spec.model_dump_json(indent=1) + "\n").encode()

    @property
    def acts(self) -> bool:
        """Whether one of the assistants acts."""
        return any(spec.acts for spec in self.specs.values())

    def _there(self, folder: str, key: str) -> Path:
        path = self.at(folder)
        if not path.is_dir():
            what = f"there is no folder {folder} beside the study file"
            raise ProblemsFound([Problem(self.file, self.study.names_folder(folder, key), what, "correct the path")])
        return path
