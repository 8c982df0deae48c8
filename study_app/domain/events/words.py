"""Words of the platform that stand in payloads; parts above take them from here."""

from __future__ import annotations

from typing import Literal

EntryWay = Literal["open", "link", "label", "prolific", "test"]
"""How a participant comes in."""
StageEnd = Literal["participant", "deadline", "withdrawal", "screening", "system"]
"""What ends a stage."""
RunEnd = Literal["exit", "time", "cpu", "memory", "output", "cancelled", "infrastructure"]
"""What ends a run."""
Verdict = Literal["explained", "not_explained", "open"]
"""Of the explain-first gate; `open`: an earlier message on the task explained the idea, so this one was not judged."""
Failure = Literal[
    "rate_limit", "overloaded", "timeout", "connection", "authentication", "refused", "budget", "too_long",
    "unknown_model", "interrupted", "other",
]  # fmt: skip
"""Why a reply failed."""
Cause = Literal["isolation", "clock_step", "reopened", "paused"]
"""Of an outage that no reply and no run had."""
EditKind = Literal["typed", "paste", "drop", "cut", "undo", "redo", "indent", "programmatic", "agent"]
"""How a text changes."""
Decision = Literal["approve", "reject", "edited", "auto", "answered", "stale", "interrupted", "expired"]
"""What became of an agent's call: by the participant `approve`, `reject`, `edited` (a change that they changed first)
and `answered`; `auto` without being asked; `stale` once the program was another; `interrupted` by Stop or a server that
failed; `expired` at the end of the task or of the turn's time."""
Tool = Literal["view", "edit", "run", "ask", "report"]
"""What an agent calls: read the program, change it, run it, ask the participant, say what was done."""
InterviewAction = Literal["core", "probe", "clarify", "redirect", "closing", "fallback"]
"""What a question of an interview does; see the table `interview_turns`."""
QuestionSource = Literal["plan", "rule", "model", "fallback"]
"""Who chose a question of an interview."""
AnswerOutcome = Literal["answered", "skipped", "stopped", "deadline"]
"""What a participant did with a question; `deadline`: the stage's time was up, and what stood in the box counts."""
InterviewEnd = Literal["completed", "stopped", "turns", "time", "redirects", "distress", "deadline"]
"""What ended an interview."""
Quality = Literal["substantive", "minimal", "refused", "confused", "not_reached"]
"""What a topic of an interview brought."""
ProbeOutcome = Literal["answered", "skipped", "interrupted"]
"""What ended a probe of affect before its time: an answer, Skip, or the participant's or a researcher's other act."""
