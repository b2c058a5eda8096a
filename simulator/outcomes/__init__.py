"""Outcomes of patients: survival, waits, episodes, and their uncertainty."""
