"""The command line, a module a command. What a command needs is imported when it runs: help is at once."""

from simulator.cli.application import main

__all__ = ["main"]
