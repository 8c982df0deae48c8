"""A small trial of two sessions on a panel: instructions by arm, a survey; two weeks later a survey."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from support.clock import HandClock
from support.trials.console_trial import NoSandbox

from study_app.bootstrap import App, start
from study_app.services.participant.enrolment import EntryRequest
from study_app.settings import Settings

STUDY = """
schema = "study/1"
id = "waves"
title = "Waves"
contact = "ada@example.org"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
instructions = "Go."
[[arms]]
id = "other"
instructions = "Go on."
[allocation]
method = "permuted_blocks"
block_sizes = [2]
[recruitment]
entry = "{entry}"
target_n = 50
codes = {{ completed = "ALLDONE" }}
[[sessions]]
id = "main"
code = "PARTONE"
[[sessions]]
id = "later"
delay_days = 14
window_days = 7
remind_days = [0, 3]
code = "PARTTWO"
studies = ["followup1"]
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "now"
kind = "survey"
[[stages.questions]]
id = "score_now"
kind = "number"
prompt = "How many?"
[[stages]]
id = "then"
kind = "survey"
session = "later"
[[stages.questions]]
id = "score_then"
kind = "number"
prompt = "How many?"
[[stages]]
id = "debrief"
kind = "debrief"
session = "later"
[analysis]
primary = ["score_now", "score_then"]
replicates = 199
covariates = []
subgroups = []
[[analysis.outcomes]]
id = "score_now"
column = "score_now"
kind = "bounded"
[[analysis.outcomes]]
id = "score_then"
column = "score_then"
kind = "bounded"
"""


class Waves:
    """The trial, launched unless it is to stay a draft."""

    def __init__(
        self, folder: Path, database: str = "", *, entry: str = "prolific", launched: bool = True, text: str = STUDY
    ) -> None:
        self.folder = folder
        self.file = folder / "study.toml"
        self.file.write_text(text.format(entry=entry))
        self.clock = HandClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        url = database or f"sqlite:///{folder}/study.db"
        self.settings = Settings(study_file=self.file, database=url, var=folder / "var", environment={})
        self.app: App = start(self.settings, clock=self.clock, sandbox=NoSandbox())
        if launched:
            self.app.lifecycle.launch()

    def panel(self, pid: str, session: str, study: str = "firststudy") -> EntryRequest:
        """Return what Prolific's address brings."""
        return EntryRequest(prolific_pid=pid, prolific_session=session, prolific_study=study)

    def enter(self, pid: str) -> str:
        return self.app.enrol.enter(self.panel(pid, f"first{pid}")).participant.id

    def first_part(self, pid: str, score: float = 5) -> str:
        """Take a person through the first session; return their id."""
        who = self.enter(pid)
        self.app.session.consent(who, True)
        self.app.session.continue_(who, "instructions")
        self.clock.advance(minutes=3)
        self.app.answers.submit_survey(who, "now", {"score_now": score})
        return who

    def second_part(self, who: str, score: float = 6) -> None:
        self.app.session.where(who)
        self.clock.advance(minutes=2)
        self.app.answers.submit_survey(who, "then", {"score_then": score})
