"""Simulate what happens to patients after CAR-T: states, sojourn times, policies and their outcomes."""
