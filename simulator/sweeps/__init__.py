"""Sweeps: one scenario over a grid of values. Each cell is an ordinary scenario, run as `compare` would run it."""
