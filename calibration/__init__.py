"""Fitting a pathway to what a published cohort reports."""
