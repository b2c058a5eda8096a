"""Patients one by one, each a SimPy process."""
