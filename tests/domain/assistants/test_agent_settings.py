"""The table `[agent]` of a treatment: which values it takes at its limits, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from study_app.domain.assistants.agent_settings import TOOLS, AgentSettings


@pytest.mark.parametrize(
    "table",
    [
        {"tools": TOOLS}, {"tools": TOOLS[:1]}, {"steps_per_turn": 1}, {"steps_per_turn": 50},
        {"seconds_per_turn": 5}, {"seconds_per_turn": 3600},
    ],
)  # fmt: skip
def test_values_at_the_limits_are_taken(table):
    assert AgentSettings(**table).model_dump(include=set(table)) == table


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("tools", [], "at least one tool"),
        ("tools", [TOOLS[0], TOOLS[0]], "each tool once"),
        ("tools", ["shell"], "Input should be"),
        ("steps_per_turn", 0, "greater than or equal to 1"),
        ("steps_per_turn", 51, "less than or equal to 50"),
        ("seconds_per_turn", 4.9, "greater than or equal to 5"),
        ("seconds_per_turn", 3600.1, "less than or equal to 3600"),
    ],
)
def test_an_agent_without_a_tool_or_beyond_the_limits_is_refused(key: str, value: Any, said: str):
    with pytest.raises(ValidationError) as error:
        AgentSettings(**{key: value})
    (found,) = error.value.errors()
    assert found["loc"][0] == key
    assert said in found["msg"]
