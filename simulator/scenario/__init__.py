"""A scenario as it is declared: what a policy changes, capacity, arrivals."""
