"""Figures of sensitivity analyses, sweeps and virtual cohorts."""
