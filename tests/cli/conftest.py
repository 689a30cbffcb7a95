"""The command line: in this process, which is fast, or in one of its own, which is real."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bayesmed.cli import main


@dataclass(frozen=True)
class Done:
    """What a run of the command line left."""

    returncode: int
    stdout: str
    stderr: str


type Run = Callable[..., Done]

SITES = """country,gamma_hat,gamma_se,tau_hat,tau_se,cov
Norway,0.12,0.03,0.31,0.08,0.0004
Ghana,0.31,0.04,0.52,0.09,0.0006
Peru,0.55,0.03,1.02,0.08,0.0003
Laos,0.74,0.05,1.31,0.10,0.0010
Malta,0.95,0.04,1.90,0.09,0.0005
"""

CARD = """title = "Turnout in five countries"

[model]
type = "site_slope"

[data]
file = "sites.csv"
site = "country"
outcome = "turnout"
total_effect = "tau_hat"
total_effect_se = "tau_se"

[[data.mediators]]
name = "effort"
effect = "gamma_hat"
se = "gamma_se"
cov = "cov"

[sampler]
engine = "exact"
draws = 200
chains = 2
"""


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Return a function that runs ``bayesmed`` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)

    def bayesmed(*arguments: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(arguments)
        out, err = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, out, err)

    yield bayesmed
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def start(tmp_path: Path) -> Run:
    """Return a function that runs ``bayesmed`` in a process of its own."""

    def bayesmed(*arguments: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "bayesmed", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return bayesmed


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a card with its data beside it."""
    (tmp_path / "sites.csv").write_text(SITES)
    (tmp_path / "study.toml").write_text(CARD)
    return tmp_path / "study.toml"
