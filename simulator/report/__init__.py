"""The report of a run: one page that asks nothing of the network, and the figures beside it."""

from simulator.report.page import html
from simulator.report.run_folder import write, write_again

__all__ = ["html", "write", "write_again"]
