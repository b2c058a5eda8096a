"""Figures of a run: each module draws one kind, and says in words what it shows."""
