"""What a terminal sees: colours, width, and nothing a data file wrote."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FIT = ("fit", "study.toml", "--out", "a")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(
    study: Path, columns: int, words: tuple[str, ...] = FIT, **environment: str
) -> str:
    """Run a command on a pseudo-terminal and return everything it wrote there."""
    ours, theirs = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "bayesmed", *words],
        cwd=study.parent,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**clean, "TERM": "xterm", "COLUMNS": str(columns), **environment},
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait(60) == 0, written
    return written.decode().replace("\r\n", "\n")


def test_a_terminal_gets_live_progress_and_the_answer(study: Path) -> None:
    written = on_a_terminal(study, 100)
    assert COLOUR.search(written)
    assert re.search(r"Integrating \(\d+\.\d s\)", CONTROL.sub("", written))
    assert "report.html" in written


def test_no_color_is_respected(study: Path) -> None:
    colours = COLOUR.findall(on_a_terminal(study, 100, NO_COLOR="1"))
    # Bold and dim are no colours; 30 to 37 and 90 to 97 are.
    assert not [c for c in colours if re.search(r"\b(3[0-7]|9[0-7])\b", c)]


def test_a_dumb_terminal_gets_plain_lines(study: Path) -> None:
    assert "\x1b" not in on_a_terminal(study, 100, TERM="dumb")


@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_is_not_overrun(study: Path, columns: int) -> None:
    written = on_a_terminal(study, columns)
    answer = CONTROL.sub("", written[written.index("On average") :])
    lines = [line for line in answer.splitlines() if "report.html" not in line]
    assert max(map(len, lines)) <= columns
    assert "Slope" in answer


@pytest.mark.parametrize("columns", [40, 60])
def test_a_comparison_fits_a_narrow_terminal(study: Path, columns: int) -> None:
    written = CONTROL.sub("", on_a_terminal(study, columns, ("compare", "study.toml")))
    lines = written[written.index("Estimator") :].splitlines()
    assert max(map(len, lines)) <= columns
    assert ("sd or SE" in written) == (columns >= 60)


@pytest.mark.parametrize("columns", [40, 60])
def test_estimates_fit_a_narrow_terminal(study: Path, columns: int) -> None:
    lines = ["a very long name of a site column,t,m,y"]
    lines += [
        f"{s},{i % 2},{i * i % 7 + s * (i % 2)},{i * s % 5}" for s in (1, 2) for i in range(9)
    ]
    lines += [f"a site with a name far too long for a line,{i},0," for i in (0, 1)]
    (study.parent / "rows.csv").write_text("\n".join(lines) + "\n")
    roles = ("-t", "t", "-m", "m", "-y", "y", "-s", "a very long name of a site column")
    words = ("estimates", "rows.csv", *roles, "--out", "out.csv")
    written = on_a_terminal(study, columns, words)
    assert COLOUR.search(written)
    shown = CONTROL.sub("", written)
    assert re.search(r"Scanning the rows \(\d+\.\d s\)", shown)
    answer = shown[shown.index("From 20 rows") : shown.index("Next: ")].splitlines()
    assert max(map(len, answer)) <= columns
    assert any(line.startswith("1 ") for line in answer)
