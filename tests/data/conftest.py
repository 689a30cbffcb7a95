"""Fixtures of the data room: columns of the plain table and a writer of small files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bayesmed.data import MediatorColumns, SiteColumns

PLAIN = """site,gamma,gamma_se,tau,tau_se,corr
A,0.5,0.1,0.2,0.1,0.3
B,0.7,0.1,0.3,0.1,0.2
C,0.4,0.2,0.1,0.2,-0.1
"""


@pytest.fixture
def plain() -> str:
    return PLAIN


@pytest.fixture
def columns() -> SiteColumns:
    effort = MediatorColumns("effort", "gamma", se="gamma_se", corr="corr")
    return SiteColumns((effort,), "tau", total_effect_se="tau_se", site="site")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write_file(content: str | bytes) -> Path:
        file = tmp_path / "sites.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write_file
