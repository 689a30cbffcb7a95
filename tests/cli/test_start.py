"""The command line before any work: help, version, a card to edit, and how fast it is there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from bayesmed.cards import new_card

if TYPE_CHECKING:
    from conftest import Run


def test_version(start: Run) -> None:
    assert start("--version").stdout.strip() == f"bayesmed, version {version('bayesmed')}"


@pytest.mark.parametrize(
    "command", [(), ("fit",), ("estimates",), ("compare",), ("new",), ("report",)]
)
def test_help_names_every_option_and_exits_with_0(run: Run, command: tuple[str, ...]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    assert "Usage: bayesmed" in done.stdout
    if command == ("fit",):
        for option in ("data", "out", "seed", "draws", "tune", "chains", "engine"):
            assert f"--{option}" in done.stdout
        assert "Exit codes: 0" in done.stdout


def test_help_is_there_in_half_a_second(start: Run) -> None:
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        start("--help")
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.5


def test_without_arguments_help_comes_and_2(run: Run) -> None:
    done = run()
    assert done.returncode == 2
    assert "Commands:" in done.stderr


def test_new_prints_the_card_and_nothing_else(run: Run) -> None:
    done = run("new", "site_slope")
    assert done.stdout == new_card("site_slope")
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bayesmed", "new", "site_slope"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(60)
