"""Codes are read from a reply only where it is whole and holds nothing but codes of the codebook."""

from __future__ import annotations

import json
from typing import Any

import pytest

from study_app.domain.themes.codebook import Code, Codebook
from study_app.domain.themes.replies import CUT_OFF, codes_in

BOOK = Codebook(
    id="exit",
    codes=tuple(Code(id=name, title=name.title(), definition=f"Says {name}.") for name in ("hurry", "trust", "doubt")),
)


def reply(content: Any, stop: str = "end_turn") -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    return {"message": {"stop_reason": stop, "content": [{"type": "text", "text": text}]}}


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        (reply({"codes": ["trust", "hurry"]}), ("hurry", "trust")),
        (reply({"codes": ["trust", "trust"]}), ("trust",)),
        (reply({"codes": []}), ()),
        (reply({"codes": ["trust", "joy"]}), None),
        (reply({"codes": ["joy"]}), None),
        (reply({"codes": [["trust"]]}), None),
        (reply({"codes": "trust"}), None),
        (reply(["trust"]), None),
        (reply("trust"), None),
        (reply({}), None),
        ({"error": "timeout"}, None),
        ({"message": "trust"}, None),
        *((reply({"codes": ["trust"]}, stop), None) for stop in CUT_OFF),
    ],
)
def test_codes_of_the_codebook_are_read_in_its_order_and_anything_else_is_no_coding(raw, codes):
    assert codes_in(raw, BOOK) == codes
