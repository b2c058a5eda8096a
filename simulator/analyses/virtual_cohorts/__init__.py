"""Trials and cohorts simulated from a scenario: power, and immortal-time bias."""
