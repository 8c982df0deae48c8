"""Whether participants' programs still import the versions that the study was launched with."""

from __future__ import annotations

from study_app.domain.records import AuditEntry
from study_app.services.context import StudyContext

PACKAGES = "study_packages"
"""Where the versions are kept of what programs could import at the launch, or since the last amendment."""
CHANGED = "packages_changed"
"""What the audit log calls it where they differ."""


def changed_packages(context: StudyContext) -> list[str]:
    """How what programs can import differs from what it was at the launch or the last amendment; a line for each."""
    with context.registry.begin(write=False) as unit:
        then = unit.meta_value(PACKAGES)
    if then is None:
        return []
    now = dict(context.package_versions())
    return [
        f"{name} is {now.get(name, 'not installed')}, the study was launched with {then.get(name, 'none')}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]


def note_changed_packages(context: StudyContext) -> list[str]:
    """As `changed_packages`; what is new is recorded, so that the dataset says with what participants worked."""
    changed = changed_packages(context)
    with context.registry.begin() as unit:
        known = [entry.detail.get("changed") for entry in unit.audit() if entry.what == CHANGED]
        # Once for each difference, and not at each start.
        if changed and (not known or known[-1] != changed):
            entry = AuditEntry(context.now(), "server", CHANGED, "", {"changed": changed})
            unit.add_audit(entry)
    return changed
