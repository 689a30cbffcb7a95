"""The reference page of the command line, as its own help says it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from bayesmed.cli.app import app


def cli_pages() -> Iterator[tuple[str, str]]:
    """Yield one page with the help of every command."""
    top = click.Context(app, info_name="bayesmed", max_content_width=100)
    lines = ["# Command line", "", "```text", app.get_help(top), "```", ""]
    for name in app.list_commands(top):
        command = app.commands[name]
        inside = click.Context(command, info_name=name, parent=top, max_content_width=100)
        lines += [f"## bayesmed {name}", "", "```text", command.get_help(inside), "```", ""]
    lines += [
        "Exit codes: 0 done; 1 done, but convergence checks failed; 2 bad input (one message,",
        "nothing written); 3 the computation failed.",
        "",
    ]
    yield "command_line.md", "\n".join(lines)
