"""The command line: one file per verb; nothing heavy is imported before a verb is chosen."""

from payoff.cli.main import main

__all__ = ["main"]
