"""Units of systemd, as far as a test needs them to start what they start."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Unit:
    """What a unit starts, and how."""

    name: str
    command: list[str]
    user: str
    folder: str
    umask: str
    variables_from: str
    variables: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def file_of(name: str) -> str:
        """The file of a unit; an instance has that of its template."""
        return re.sub(r"@.*\.", "@.", name)

    @classmethod
    def read(cls, name: str, text: str) -> Unit:
        """Read a unit; what it says of its instance is filled in."""
        found = re.search(r"@(.*)\.", name)
        pairs = re.findall(r"^(\w+)=(.*)$", text.replace("%i", found[1] if found else ""), re.M)
        keys = dict(pairs)
        own = dict(value.split("=", 1) for key, value in pairs if key == "Environment")
        return cls(
            name,
            shlex.split(keys["ExecStart"]),
            keys["User"],
            keys["WorkingDirectory"],
            keys["UMask"],
            keys.get("EnvironmentFile", ""),
            own,
        )

    def with_variables(self, text: str) -> Unit:
        """Add those of its file, which come before its own, and put them into the command."""
        variables = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.M)) | self.variables
        command = [re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], word) for word in self.command]
        return replace(self, variables=variables, command=command)
