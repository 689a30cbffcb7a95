"""Many fits: sensitivity, simulation, calibration (nothing yet)."""
