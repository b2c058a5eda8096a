"""Checks of a calibration: simulated cohorts, figures that are left out, other cohorts, other priors."""
