"""Simulation-based calibration: ranks of what is true among draws of its posterior."""

from bayesmed.studies.calibration.calibrate import Calibration, calibrate

__all__ = ["Calibration", "calibrate"]
