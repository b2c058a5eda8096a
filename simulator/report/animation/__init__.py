"""A page on which simulated patients move through the pathway, in one file that needs no network."""
