"""Which roles may see each board of the console; a board is known by its address."""

from __future__ import annotations

from study_app.secrets.console_accounts import Role

ALL: tuple[Role, ...] = ("monitor", "grader", "full")
BLIND: tuple[Role, ...] = ("monitor", "full")
UNBLINDED: tuple[Role, ...] = ("full",)
SEEN_BY: dict[str, tuple[Role, ...]] = {
    "overview": ALL,
    "participants": BLIND,
    "replay": UNBLINDED,
    "grading": ("grader", "full"),
    "verdicts": BLIND,
    "coding": UNBLINDED,
    "interviews": UNBLINDED,
    "protocol": BLIND,
    "sessions": BLIND,
    "recruiting": BLIND,
    "links": BLIND,
    "allocation": BLIND,
    "results": BLIND,
    "downloads": BLIND,
    "release": UNBLINDED,
    "audit": BLIND,
    "people": UNBLINDED,
}
