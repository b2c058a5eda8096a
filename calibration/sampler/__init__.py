"""Draws from a posterior distribution: adaptive importance sampling and its diagnostics."""
