"""A pathway as it is declared in its file: states, transitions, parameters, checks."""
