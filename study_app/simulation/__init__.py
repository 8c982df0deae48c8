"""Simulated participants: the real services, driven by people who are made up."""

from study_app.simulation.simulation import open_for_simulation, seed_of_people, simulate
from study_app.simulation.summary import Realised, SimulationSummary

__all__ = ["Realised", "SimulationSummary", "open_for_simulation", "seed_of_people", "simulate"]
