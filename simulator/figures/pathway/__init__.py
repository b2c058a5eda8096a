"""Figures of a pathway: its diagram and the flow of patients."""
