"""Interfaces that the services depend on.

Each method documents its result, its exceptions and who must fix them.
"""

from study_app.ports.clock import Clock, ClockStep, SteadyClock
from study_app.ports.database import RESTORED, Database, Restorable, SecondReader, UnitOfWork
from study_app.ports.event_log import EventLog
from study_app.ports.participant_records import Stay
from study_app.ports.providers import (
    ActingAssistant,
    Assistant,
    ExplanationJudge,
    Interviewer,
    Panel,
    PanelSubmission,
    ReplaceableAssistant,
    Sandbox,
)

__all__ = [
    "RESTORED",
    "ActingAssistant",
    "Assistant",
    "Clock",
    "ClockStep",
    "Database",
    "EventLog",
    "ExplanationJudge",
    "Interviewer",
    "Panel",
    "PanelSubmission",
    "ReplaceableAssistant",
    "Restorable",
    "Sandbox",
    "SecondReader",
    "Stay",
    "SteadyClock",
    "UnitOfWork",
]
