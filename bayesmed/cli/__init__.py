"""The command line: parse, call one public function, print. Heavy imports wait for the command."""

from bayesmed.cli.app import main

__all__ = ["main"]
