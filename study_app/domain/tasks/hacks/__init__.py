"""How a program that cannot be right satisfies the examples all the same: classes by rules over its syntax tree."""

from study_app.domain.tasks.hacks.classes import HACK_CLASSES, RULE_CLASSES, HackFinding, find_hacks, hack_class

__all__ = ["HACK_CLASSES", "RULE_CLASSES", "HackFinding", "find_hacks", "hack_class"]
