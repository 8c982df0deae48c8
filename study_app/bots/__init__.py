"""Simulated participants: the real services, driven by people who are made up."""

from study_app.bots.crowd import open_for_simulation, simulate
from study_app.bots.summary import Realised, SimulationSummary

__all__ = ["Realised", "SimulationSummary", "open_for_simulation", "simulate"]
