"""Figures of simulation-based calibration and external validation."""
