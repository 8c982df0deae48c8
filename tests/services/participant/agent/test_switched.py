"""The switch by which an agent goes on without asking: one state, for the page, the server and the treatment."""

from __future__ import annotations

from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker

from study_app.domain.events import saying
from study_app.domain.events.server import AgentProposed


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


def test_each_step_says_whether_asking_was_switched_off_when_it_was_proposed(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "participant")

    def logged() -> list[bool | None]:
        with app.context.registry.begin(write=False) as unit:
            events = unit.events_of(walker.id, (AgentProposed.kind,))
            return [said.without_asking for _, said in saying(events, AgentProposed)]

    AgentPage(walker, lambda _: "approve").ask()
    before = logged()
    walker.send(("agent_switched", {"without_asking": True}))
    AgentPage(walker, lambda _: "approve").ask()
    assert set(before) == {False}
    assert set(logged()[len(before) :]) == {True}
    app.close()
