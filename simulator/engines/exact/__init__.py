"""Probabilities of states as sums over paths, or by Markov renewal equations, without simulation."""
