"""Probes in what the console shows of one participant: the timeline and the replay, with the clock that stood still."""

from __future__ import annotations

from support.clock import HandClock
from support.trials.export_world import open_app
from support.trials.probe_study import at_task, probe_study

from study_app.services.attending.participant_page import ParticipantViews
from study_app.services.participant.probing.asking import ProbeAnswer
from study_app.services.researcher.replay.timeline import timeline


def test_the_timeline_and_the_replay_show_when_a_probe_came_and_how_long_the_clock_stood_still(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock, probe_study(tmp_path))
    walker = at_task(app, clock)
    clock.advance(minutes=2)
    app.probes.show(walker.id, walker.page)
    clock.advance(seconds=12)
    app.probes.end(walker.id, walker.page, 2, ProbeAnswer(valence=3, arousal=7, calm_desperate=80))
    clock.advance(minutes=3)
    app.probes.show(walker.id, walker.page)
    clock.advance(minutes=2)

    view = ParticipantViews(app.context).one(walker.id, work=False)
    assert view is not None
    lines = [(line.what, line.detail) for line in view.timeline if "how they feel" in line.what]
    assert lines == [
        ("was asked how they feel, and the clock stood still", "warmup, minute 2"),
        ("went on after being asked how they feel", "answered, the clock stood still for 12 s"),
        ("was asked how they feel, and the clock stood still", "warmup, minute 5"),
    ]
    shown = timeline(app.context, walker.id)
    assert shown is not None
    first, second = shown["lanes"]["probe"]
    assert [round(ended - begun) for begun, ended in (first, second)] == [12, 60]
    app.close()
