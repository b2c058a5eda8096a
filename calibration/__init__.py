"""Fitting a pathway to the figures of a published cohort."""
