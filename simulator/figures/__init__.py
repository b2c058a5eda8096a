"""Figures of a run: each module draws one kind, and puts it into words."""
