"""Simulated participants: the real services, driven by people who are made up."""

from study_app.bots.crowd import Realised, SimulationSummary, open_for_simulation, simulate

__all__ = ["Realised", "SimulationSummary", "open_for_simulation", "simulate"]
