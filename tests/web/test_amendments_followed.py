"""A server looks for amendments for as long as it serves, whatever one look meets."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

from study_app.web.routes import author


def test_a_look_for_amendments_that_fails_is_tried_again(monkeypatch, caplog):
    monkeypatch.setattr(author, "AMENDED_SECONDS", 0.01)
    looks, again = [], threading.Event()

    def follow():
        looks.append(len(looks))
        if len(looks) == 1:
            raise ValueError("of a library")
        again.set()

    async def served():
        app = SimpleNamespace(author=None, context=SimpleNamespace(follow=follow))
        async with author.following(app):
            assert await asyncio.to_thread(again.wait, 60)

    asyncio.run(served())
    assert [record.message for record in caplog.records] == [
        "the study's version could not be looked at; it is tried again"
    ]
