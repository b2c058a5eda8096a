"""Sentences, labels and numbers that a person reads."""
