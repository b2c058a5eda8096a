"""The report of a run: one page that asks nothing of the network, and the figures beside it."""
