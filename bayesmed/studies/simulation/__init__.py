"""Simulated studies: how estimators do on designs whose truth is known, and planning by them."""

from bayesmed.studies.simulation.design import Design, design_grid
from bayesmed.studies.simulation.fu import FuDesign
from bayesmed.studies.simulation.planning import design_analysis
from bayesmed.studies.simulation.reardon import ReardonDesign
from bayesmed.studies.simulation.result import Simulation
from bayesmed.studies.simulation.simulate import TABLE_1, simulate
from bayesmed.studies.simulation.trial import TrialDesign

__all__ = [
    "TABLE_1",
    "Design",
    "FuDesign",
    "ReardonDesign",
    "Simulation",
    "TrialDesign",
    "design_analysis",
    "design_grid",
    "simulate",
]
