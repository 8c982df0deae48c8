"""What can be wrong with the personas that arms choose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from study_app.domain.study.sections import StudyArm


def persona_problems(arms: Iterable[StudyArm], personas: Collection[str]) -> Iterator[str]:
    """Yield arms whose persona is not declared or has nothing to speak, as `key: what; remedy`."""
    for arm in arms:
        if arm.persona is None:
            continue
        if arm.persona not in personas:
            known = ", ".join(sorted(personas)) or "none"
            yield (
                f"arms.{arm.id}.persona: '{arm.persona}' is not declared; add [personas.{arm.persona}] "
                f"or use one of: {known}"
            )
        if arm.assistant is None:
            yield (
                f"arms.{arm.id}.persona: '{arm.persona}' is given, but the arm has no assistant; give it an assistant, "
                "or remove the persona"
            )


def unused_personas(arms: Iterable[StudyArm], personas: Collection[str]) -> Iterator[str]:
    """Yield a warning for each persona that no arm has."""
    used = {arm.persona for arm in arms}
    for name in personas:
        if name not in used:
            yield f"personas.{name}: no arm has this persona, so no participant meets it"
