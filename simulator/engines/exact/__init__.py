"""Probabilities of states by Markov-renewal equations on a lattice, without simulation."""
