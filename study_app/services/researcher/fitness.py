"""What keeps a study from real participants though each table of its file is valid: content, ethics, this machine."""

from __future__ import annotations

from collections.abc import Iterator

from study_app.domain.assistants.personas import assistant_of
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.content.content_paths import name_of, spelled
from study_app.domain.errors import Problem
from study_app.domain.quiz.keys import ChoiceKey, CodeKey, TextKey
from study_app.domain.study.consent import PLACEHOLDER, consent_problems
from study_app.domain.study.contradictions.everything import contradictions
from study_app.domain.study.designs import design_problems, used_by
from study_app.domain.study.quiz_roles import TOTALS
from study_app.domain.study.recruiting.sessions import session_problems
from study_app.domain.study.study import Study
from study_app.services.context import StudyContext


def study_problems(context: StudyContext) -> list[Problem]:
    """Return what keeps a valid study file, with its content, from real participants, on whichever machine."""
    study: Study = context.study
    # What a draft may lack: only real participants need consent in its last words, and a way in for one visit each.
    found = fitness_problems(study, context.content, "study.toml")
    found += design_problems(used_by(study), "launch", "study.toml")
    found += consent_problems(study, "study.toml")
    found += session_problems(study, "study.toml")
    if study.recruitment.entry == "open":
        remedy = 'set entry = "links" (then study create-links) or entry = "prolific"'
        found.append(
            Problem("study.toml", "recruitment.entry", "'open' lets the same person enter again and again", remedy)
        )
    return found


def launch_problems(context: StudyContext) -> list[Problem]:
    """Return what keeps a valid study from real participants here."""
    study: Study = context.study
    found = study_problems(context)
    embedded = [name for name, assistant in context.assistants.items() if assistant.id == "notes"]
    if embedded and not study.assistant_policy.allow_embedded:
        what = f"the assistant '{embedded[0]}' would be the embedded one, for there is no ANTHROPIC_API_KEY"
        remedy = "set the key, or say allow_embedded = true"
        found.append(Problem("study.toml", "assistant_policy.allow_embedded", what, remedy))
    level = context.sandbox.isolation().level
    if level == "off":
        remedy = "see study doctor"
        found.append(Problem("study.toml", "sandbox", "participants' programs cannot be run on this machine", remedy))
    if level == "weak" and not study.sandbox.allow_weak_isolation:
        what = "isolation is weak here: participants' programs could read this server's files"
        remedy = (
            "install bubblewrap or use a Linux server; or say allow_weak_isolation = true and invite people you trust"
        )
        found.append(Problem("study.toml", "sandbox.allow_weak_isolation", what, remedy))
    return found


def fitness_problems(study: Study, content: ContentLibrary, file: str) -> list[Problem]:
    """Return everything that `check` and `launch` refuse in a valid study file because of its task packs and banks."""
    return [
        *linked_folder_problems(content),
        *content_problems(study, content, file),
        *_ethics(study, file),
        *contradictions(study, file),
    ]


def linked_folder_problems(content: ContentLibrary) -> Iterator[Problem]:
    """Yield links to folders below packs and banks."""
    what = "is a link to a folder; what is in it would be used and be no part of the study that is registered and kept"
    for folder in content.linked_folders():
        yield Problem(folder, "", what, "put the folder itself there; links to files and to whole packs may stay")


def content_problems(study: Study, content: ContentLibrary, file: str) -> list[Problem]:
    """Return everything in the file that its packs, banks and assistants do not bear."""
    return [
        *(found for folder in study.pack_folders for found in pack_name_problems(study, content, file, folder)),
        *_allocating_quizzes(study, content, file),
        *_acting_again(study, content, file),
        *_own_code(study, content, file),
        *_variants(study, content, file),
        *_closed_assistants(study, content, file),
        *_unused_settings(study, content, file),
        *_quizzes_in_order(study, content, file),
    ]


def pack_name_problems(study: Study, content: ContentLibrary, file: str, folder: str) -> Iterator[Problem]:
    """Yield that the study finds a pack under another name than its own, as through a symbolic link."""
    name, known = name_of(spelled(folder)), content.pack(folder).id
    if name and name != known:
        what = f"{folder} leads to the pack '{known}', and its programs would be kept as those of '{name}'"
        yield Problem(file, study.names_folder(folder, "packs"), what, f"name the folder {known} itself")


def _variants(study: Study, content: ContentLibrary, file: str) -> Iterator[Problem]:
    """Variants that are met by everybody, and packs that do not belong to the task in whose place they stand."""
    tasks = {name_of(folder): (stage, folder) for stage in study.stages for folder in stage.packs}
    for stage, folder in tasks.values():
        if content.pack(folder).twin is not None:
            what = f"{folder} is an impossible variant, which every arm would meet"
            remedy = "name the task that can be done here, and the variant under the variants of some arms"
            yield Problem(file, f"stages.{stage.id}.packs", what, remedy)
    for arm in study.arms:
        for task, folder in arm.variants.items():
            twin, expected = content.pack(folder).twin, content.pack(tasks[task][1])
            key = f"arms.{arm.id}.variants.{task}"
            if twin is None:
                what = f"{folder} is not a variant: its task.toml has no [variant]"
                yield Problem(file, key, what, "name a pack that study check can prove to be impossible")
            elif (twin.id, twin.solution, twin.brief) != (expected.id, expected.solution, expected.brief):
                what = f"{folder} is a variant of '{twin.id}', not of the study's {tasks[task][1]}"
                yield Problem(file, key, what, "name the variant of this task, from the same folder")


def _ethics(study: Study, file: str) -> Iterator[Problem]:
    """People who meet a task that cannot be done are deceived for a while: a committee has to have agreed."""
    given = study.ethics.strip()
    if study.varied_tasks and (not any(map(str.isdigit, given)) or PLACEHOLDER in given):
        found = f"is {given!r}, without a number" if given else "is empty"
        what = f"{found}, and some participants meet a task that cannot be done"
        yield Problem(file, "ethics", what, "give the ethics approval and its number")


def _acting_again(study: Study, content: ContentLibrary, file: str) -> Iterator[Problem]:
    """Assistants that act and whose settings a second decision would change: verify holds one of them to a person."""
    if not study.second_decision:
        return
    for name in dict.fromkeys(arm.treatment for arm in study.arms_met if arm.treatment):
        if content.specs[name].acts:
            what = f"the assistant '{name}' acts on the program, and acts are compared with one treatment a person"
            yield Problem(file, "second_decision", what, "use assistants that answer, hint or ask, or remove it")


def _closed_assistants(study: Study, content: ContentLibrary, file: str) -> Iterator[Problem]:
    """Assistants that open only after the last minute in which they could be asked."""
    place = max((n for n, stage in enumerate(study.stages) if stage.kind == "tasks" and stage.assistant), default=-1)
    worked = sum(stage.minutes or 0.0 for stage in study.stages[: place + 1] if stage in study.main_task_stages)
    for name in dict.fromkeys(arm.treatment for arm in study.arms_met if arm.treatment):
        opens = content.specs[name].opens_after_minutes
        if place >= 0 and opens and opens >= worked:
            what = f"'{name}' opens after {opens:g} minutes of work, and there are {worked:g} until its last stage ends"
            remedy = "lower its opens_after_minutes, or give the tasks more time"
            yield Problem(file, f"assistants.{assistant_of(name)}", what, remedy)


def _unused_settings(study: Study, content: ContentLibrary, file: str) -> Iterator[Problem]:
    """Models, personas and approvals of assistants that have no use for them."""
    for name, spec in content.specs.items():
        entry = study.assistants[assistant_of(name)]
        key = f"assistants.{assistant_of(name)}"
        if entry.model is not None and spec.provider != "claude":
            what = f"the provider of '{spec.id}' is {spec.provider}, which asks no model"
            yield Problem(file, f"{key}.model", what, "remove it")
        if spec.agent is not None and not spec.agent.decides:
            what = f'approval = "{spec.agent.approval}" is about none of its tools ({", ".join(spec.agent.tools)})'
            yield Problem(file, key, what, 'give it a tool to approve, or say approval = "none"')
        embedded = spec.provider == "notes" or study.assistant_policy.allow_embedded
        if spec.persona is not None and embedded and not (spec.persona.small_talk or spec.persona.greeting):
            what = (
                f"the embedded assistant speaks as '{spec.persona.id}' by its greeting and small_talk, which are empty"
            )
            yield Problem(file, f"personas.{spec.persona.id}", what, "write them, or say allow_embedded = false")


def _quizzes_in_order(study: Study, content: ContentLibrary, file: str) -> Iterator[Problem]:
    """Quizzes whose items are to be drawn within pages of one item each."""
    for quiz in study.quizzes:
        stage = quiz.stage
        # Items are drawn within their page; the order of pages is the author's.
        pages = content.bank(stage.bank).pages_of(stage.form or None) if stage.shuffle else ()
        if pages and all(len(page) == 1 for page in pages):
            what = "each page has one item, so there is no order to draw"
            yield Problem(file, f"stages.{stage.id}.shuffle", what, "remove it, or put several items on a page")


def _own_code(study: Study, content: ContentLibrary, file: str) -> Iterator[Problem]:
    """Tasks that begin with what was handed in before: after that task, on a stage without an assistant."""
    before: list[str] = []
    for stage in study.stages:
        for folder in stage.packs:
            pack = content.pack(folder)
            key = f"stages.{stage.id}.packs"
            if pack.continues and stage.assistant:
                what = f"{folder} begins with the participant's own code, and this stage has assistants"
                yield Problem(file, key, what, "put it on a stage without assistant = true")
            if pack.continues and (pack.continues not in before or (stage.shuffle and len(stage.packs) > 1)):
                what = f"{folder} begins with what was handed in for '{pack.continues}', which is not an earlier task"
                yield Problem(file, key, what, "name a task of an earlier stage, or an earlier one of this stage")
            # Behind the look: a task does not continue itself.
            before.append(pack.id)


def _allocating_quizzes(study: Study, content: ContentLibrary, file: str) -> Iterator[Problem]:
    """Baseline quizzes that decide about allocation must be scored at once, by their keys alone."""
    named = {*study.allocation.variables, *study.second_decision.rests_on}
    for quiz in study.quizzes:
        if not named & {f"{quiz.stage.id}_{end}" for end in TOTALS}:
            continue
        keys = content.keys(quiz.stage.bank)
        items = content.bank(quiz.stage.bank).items_of(quiz.stage.form or None)
        scored = [item.id for item in items if item.type != "attention_check"]
        waiting = [name for name in scored if not _scored_by_key(keys[name])]
        if waiting:
            what = (
                f"allocation needs the points of '{quiz.stage.id}' at once, and {', '.join(waiting)} wait for scoring"
            )
            remedy = "use a bank or form whose items a key alone scores, or another variable"
            yield Problem(file, "allocation", what, remedy)


def _scored_by_key(key: object) -> bool:
    # Its checks are run behind the request, and may have to wait for the sandbox; an allocation cannot.
    if isinstance(key, CodeKey):
        return False
    return isinstance(key, ChoiceKey) or (isinstance(key, TextKey) and bool(key.accept))
