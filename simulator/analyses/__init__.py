"""Analyses that run a scenario many times, and the program's check of itself."""
