"""The switch by which an agent goes on without asking: one state, for the page, the server and the treatment."""

from __future__ import annotations

from support.clock import HandClock
from support.trials.agent_study import agent_walker


def test_a_page_that_is_loaded_again_shows_the_switch_as_the_server_goes_by_it(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "participant")

    def shown() -> bool:
        return app.help.goes_without_asking(app.session.where(walker.id))

    assert shown() is False
    walker.send(("agent_switched", {"without_asking": True}))
    walker.open("trio_timer")
    assert shown() is True
    walker.submit()
    walker.open("trio_users")
    assert shown() is True
    walker.send(("agent_switched", {"without_asking": False}))
    assert shown() is False
    app.close()
