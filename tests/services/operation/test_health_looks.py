"""Looks at a server whose database does not answer."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from study_app.domain.errors import InfrastructureError
from study_app.services.operation import health


def test_a_look_is_answered_while_the_one_before_it_hangs(monkeypatch):
    monkeypatch.setattr(health, "WAIT_SECONDS", 0.1)
    begun, back = threading.Event(), threading.Event()

    def probe() -> None:
        begun.set()
        back.wait(60)
        raise InfrastructureError("the connection was cut")

    looks = health.Health(SimpleNamespace(registry=SimpleNamespace(probe=probe)))
    hanging = threading.Thread(target=lambda: pytest.raises(InfrastructureError, looks.check))
    hanging.start()
    assert begun.wait(60)
    with pytest.raises(InfrastructureError, match="the look at the database before this one does not end"):
        looks.check()
    back.set()
    hanging.join(60)
    with pytest.raises(InfrastructureError, match="the connection was cut"):
        looks.check()
