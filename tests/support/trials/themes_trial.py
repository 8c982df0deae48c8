"""A short study whose participants have held interviews, by the real services' records, ready to be coded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from support.clock import HandClock
from support.trials.console_trial import NoSandbox
from support.trials.interview_study import write_interview_study

from study_app.bootstrap import App, start
from study_app.domain.events.server import InterviewAnswered, InterviewAsked, InterviewClosed
from study_app.domain.records import Kind
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

STAGE = "talk"
QUESTIONS = {
    "start": "How did you begin with the work?",
    "hard": "Which moment was the hardest for you?",
    "more": "What else would you like to add?",
}
CODEBOOK = """id = "talk"
title = "Talking of work"
[[codes]]
id = "hurry"
title = "Time pressure"
definition = "Says that time was short."
keywords = ["deadline", "hurr*", "clock"]
[[codes]]
id = "trust"
title = "Trust"
definition = "Judges whether help can be relied on."
keywords = ["trust*", "check*"]
topics = ["hard"]
"""
SAID = {
    "hurry": "I was in a hurry because the clock ran the whole time.",
    "trust": "I checked every line since I could not trust it at all.",
    "": "It went on quietly and I liked how the task was written.",
}


class ThemesTrial:
    """The app, and the interviews in it."""

    def __init__(self, folder: Path, *, database: str = "", **study: str) -> None:
        self.folder = folder
        self.study_file = write_interview_study(folder, stage='sharing = "share_words"', mode="fixed", **study)
        self.clock = HandClock()
        database = database or f"sqlite:///{folder}/study.db"
        self.settings = Settings(study_file=self.study_file, database=database, var=folder / "var", environment={})
        self.people: dict[str, str] = {}
        """Interview -> participant."""
        self.app: App
        self.open()

    def open(self) -> None:
        """Start the app, at first or again after commands have worked on its database."""
        self.app = start(self.settings, clock=self.clock, sandbox=NoSandbox())

    def hold(
        self,
        answers: dict[str, str],
        *,
        share: str = "yes",
        over: bool = True,
        label: str = "",
        kind: Kind | None = None,
    ) -> str:
        """Walk one person through the study and the interview; returns the interview's id."""
        app = self.app
        who = app.enrol.enter(EntryRequest(label=label), kind=kind).participant.id
        app.session.where(who)
        self.clock.advance(minutes=1)
        app.session.consent(who, True)
        app.answers.submit_survey(who, "about", {"share_words": share})
        app.session.continue_(who, "instructions")
        app.session.where(who)
        interview = f"talk{len(self.people) + 1:04d}{who[:4]}"
        self.people[interview] = who
        with app.context.registry.begin() as unit:
            for number, (topic, question) in enumerate(QUESTIONS.items(), start=1):
                if topic in answers or over:
                    self._record(unit, who, interview, number, topic, question, answers.get(topic, ""))
            if over:
                unit.record(who, STAGE, self.clock.now(), InterviewClosed(interview_id=interview, ended_by="completed"))
        return interview

    def _record(self, unit, who, interview, number, topic, question, answer):
        turn = f"{interview}t{number}"
        asked = InterviewAsked(
            interview_id=interview,
            turn_id=turn,
            number=number,
            topic=topic,
            action="closing" if topic == "more" else "core",
            question=question,
            by="plan",
            plan="talk",
            plan_version="1",
            language="en",
        )
        unit.record(who, STAGE, self.clock.now(), asked)
        self.clock.advance(seconds=20)
        outcome = "answered" if answer else "skipped"
        answered = InterviewAnswered(turn_id=turn, outcome=outcome, answer=answer or None)
        unit.record(who, STAGE, self.clock.now(), answered)

    def hold_many(self, count: int, seed: int = 1) -> dict[str, set[str]]:
        """Hold interviews of both arms with themes at random; returns interview -> its themes."""
        rng = np.random.default_rng(seed)
        found = {}
        for number in range(count):
            themes = {name: str(rng.choice(["hurry", ""])) for name in ("start",)}
            themes["hard"] = str(rng.choice(["hurry", "trust", ""]))
            said = {topic: f"{SAID[theme]} Number {number}." for topic, theme in themes.items()}
            found[self.hold(said)] = {each for each in themes.values() if each}
        return found

    def close(self) -> None:
        self.app.close()
