"""Sensitivity: which uncertain number, and which assumed structure, drives an answer; and what knowing it is worth."""
