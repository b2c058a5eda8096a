"""Survival curves with their risk table."""
